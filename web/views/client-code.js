/** In the settings: which code of the client this browser was given, to be compared with what whoever runs the server has published, and when it was another. */

/** @import { Child } from '../ui/dom.js' */
/** @import { Known } from '../e2ee/client/interface.js' */
/** @import { App } from './page.js' */

import { moment, t } from '../i18n/index.js';
import { el, fill, listen } from '../ui/dom.js';

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function clientCodeSection(app, signal) {
  const body = el('div', { class: 'stack' });
  const draw = async () => {
    const known = await app.clientCode.read();
    if (!signal.aborted) fill(body, ...parts(known));
  };
  const look = el('button', { class: 'button', type: 'button', data: { action: 'look-at-code' }, on: { click: () => app.clientCode.look() || fill(body, el('p', {}, t('client.cannot_look'))) } }, t('client.look'));
  listen(app.clientCode, 'change', () => void draw(), signal);
  void draw();
  return el('section', { class: 'card', 'aria-labelledby': 'client-code', data: { section: 'client-code' } }, el('h2', { id: 'client-code' }, t('client.title')), body, el('p', { class: 'hint' }, t('client.hint')), look);
}

/** @param {Known | null} known @returns {Child[]} */
function parts(known) {
  if (known === null) return [el('p', {}, t('client.not_looked'))];
  const { code, since, changes, alarms } = known;
  return [
    ...alarms.map((alarm) => el('p', { class: 'problem', role: 'alert', data: { alarm: alarm.is ?? 'withheld' } }, alarmText(alarm))),
    ...(code === null ? [el('p', {}, t('client.none_true'))] : [el('p', {}, t('client.since', { when: moment(since) })), el('p', { class: 'keys-code', data: { hash: code.sha256 } }, code.sha256)]),
    changes.length === 0 ? null : el('h3', {}, t('client.changes')),
    changes.length === 0 ? null : el('ul', {}, ...changes.map(({ at, from, to }) => el('li', { data: { change: to.tree } }, t('client.changed', { when: moment(at), from: from.tree, to: to.tree })))),
  ];
}

/** @param {Known['alarms'][number]} alarm */
function alarmText({ at, tree, is }) {
  const when = moment(at);
  return is === null ? t('client.withheld_at', { when }) : t('client.alarm_at', { when, tree, hash: is });
}

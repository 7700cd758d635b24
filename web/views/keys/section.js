/** In the settings: how this device stands, the person's devices, the ways back to the keys. Nothing for whoever has no encrypted room. */

/** @import { App } from '../page.js' */
/** @import { Child } from '../../ui/dom.js' */

import { errorText, t } from '../../i18n/index.js';
import { el, fill, listen, refill } from '../../ui/dom.js';
import { spinner } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { deviceNews } from './device-news.js';
import { devicesPart, offeredDevice } from './devices.js';
import { logBanner } from './log.js';
import { newDevicePart } from './new-device.js';
import { recoveryPart } from './recovery.js';

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
export function keysSection(app, signal) {
  const [log, body] = [el('div', { class: 'stack' }), el('div', { class: 'stack' })];
  const section = el('section', { class: 'card', 'aria-labelledby': 'keys', data: { section: 'keys' } }, el('h2', { id: 'keys' }, t('keys.title')), log, body);
  const draw = () => {
    section.hidden = app.keys.status === 'off';
    section.dataset['standing'] = app.keys.status;
    fill(body, ...parts(app, signal));
  };
  const drawLog = async () => refill(log, ...(await logBanner(app)), ...deviceNews(app, { inSettings: true }));
  listen(app.keys, 'change', draw, signal);
  listen(app.keys, ['change', 'log', 'person'], () => void drawLog(), signal);
  draw();
  void drawLog();
  return section;
}

/** @param {App} app @param {AbortSignal} signal @returns {Child[]} */
function parts(app, signal) {
  const { account, asking, status } = app.keys;
  if (asking !== null) return [warned(t('keys.unvouched')), newDevicePart(asking)];
  if (account !== null) return readyParts(account, app.session.user?.username ?? '', signal);
  if (status === 'failed') return [warned(t('keys.failed'))];
  if (status === 'out') return [warned(t('keys.out'))];
  return [el('p', {}, t('keys.starting')), spinner()];
}

/** @param {import('../../state/keys/account.js').KeysAccount} account @param {string} username @param {AbortSignal} signal @returns {Child[]} */
function readyParts(account, username, signal) {
  const fingerprint = el('p', { class: 'keys-code' });
  const rest = el('div', { class: 'stack' }, spinner());
  const ways = el('div', { class: 'stack', data: { part: 'ways' } });
  let drawn = new AbortController();
  const draw = async () => {
    try {
      const [code, hasIdentity, rows] = await Promise.all([account.devices.fingerprint(), account.devices.hasIdentity(), account.devices.list()]);
      if (signal.aborted) return;
      fingerprint.textContent = code;
      drawn.abort();
      drawn = new AbortController();
      fill(rest, ...devicesPart(account, { rows, hasIdentity }, draw, AbortSignal.any([signal, drawn.signal])));
      await drawWays({ hasIdentity, devices: rows.length });
    } catch (error) {
      if (!signal.aborted) fill(rest, warned(errorText(error)));
    }
  };
  // What the server keeps of the ways back may be damaged; the devices are there all the same.
  const drawWays = async (/** @type {{ hasIdentity: boolean, devices: number }} */ known) => {
    try {
      const [recovery, hasPasskeys] = await Promise.all([account.recovery.look(), account.recovery.canUsePasskeys()]);
      if (!signal.aborted) fill(ways, ...recoveryPart(account, { ...known, recovery, hasPasskeys, username }, draw));
    } catch (error) {
      if (!signal.aborted) fill(ways, el('h3', {}, t('keys.ways_title')), warned(errorText(error)));
    }
  };
  void draw();
  offeredDevice(account, draw);
  return [account.isClockWrong ? warned(t('keys.clock')) : null, el('p', { class: 'with-icon' }, icon('check'), el('span', {}, t('keys.ready'))), el('div', {}, fingerprint, el('p', { class: 'hint' }, t('keys.fingerprint'))), rest, ways];
}

/** @param {string} text */
function warned(text) {
  return el('p', { class: 'problem' }, icon('warning'), el('span', {}, text));
}

/** The list of participants beside the stage. Owners and moderators can mute, allow and remove from here. */

/** @import { App } from './page.js' */
/** @import { Key } from '../i18n/index.js' */
/** @import { Participant } from '../protocol.js' */
/** @import { IconName } from '../ui/icons.js' */

import { t } from '../i18n/index.js';
import { isSending, mayModerate, sourceState } from '../state/roster.js';
import { confirmFirst } from '../ui/dialog.js';
import { el, fill, listen } from '../ui/dom.js';
import { iconButton, labelled } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { avatar } from './avatar.js';
import { safetyButton } from './keys/member.js';
import { verifiedInCall, verifiedMark } from './keys/mark.js';
import { personName } from './name.js';

/** What a moderator can switch off. A screen's sound goes with its picture. @type {readonly ('microphone' | 'camera' | 'screen')[]} */
const MODERATED = ['microphone', 'camera', 'screen'];

/**
 * @param {App} app
 * @param {{ close: () => void, invite: () => void }} acts
 * @param {AbortSignal} signal
 */
export function participantsPanel(app, acts, signal) {
  const title = el('h2', { id: 'participants-title', tabindex: '-1' });
  const list = el('ul', { class: 'participants' });
  const panel = el(
    'aside',
    { class: 'panel', id: 'participants', 'aria-labelledby': 'participants-title', hidden: true },
    el('header', { class: 'dialog-header' }, title, iconButton({ icon: 'close', label: t('common.close'), action: 'close-participants', click: acts.close })),
    list,
    el('button', { class: 'button wide', type: 'button', data: { action: 'copy-link' }, on: { click: acts.invite } }, icon('link'), t('rooms.copy_link')),
  );
  const draw = () => {
    const { me, roster } = app.call;
    title.textContent = `${t('call.participants')} · ${roster.count}`;
    const focused = focusedIn(list);
    fill(list, ...roster.byHands.map((one) => row(app, one, me)));
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(focused))?.focus();
  };
  listen(app.call, ['people', 'mine', 'proven'], draw, signal);
  listen(app.keys, ['change', 'person'], draw, signal);
  listen(app.call, 'reactions', () => drawReactions(app, list), signal);
  draw();
  return panel;
}

/**
 * @param {HTMLElement} list
 * @returns {string | null} a selector that finds the focused button again
 */
function focusedIn(list) {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !list.contains(active)) return null;
  return `[data-participant="${active.closest('li')?.dataset['participant']}"] [data-action="${active.dataset['action']}"]`;
}

/**
 * @param {App} app
 * @param {Participant} one
 * @param {Participant | null} me
 */
function row(app, one, me) {
  const own = one.participant === me?.participant;
  const buttons = me && mayModerate(me, one) ? moderation(app, one) : [];
  /** @param {'microphone' | 'camera'} source */
  const on = (source) => (own ? app.call.isOn(source) : isSending(one, source));
  return el(
    'li',
    { class: 'participant', data: { participant: one.participant, username: one.username } },
    avatar(one.username),
    el('div', { class: 'participant-text' }, personName(one.username, own), one.role === 'member' ? null : el('span', { class: 'hint' }, t(`role.${one.role}`)), ...(own ? [] : [verifiedMark(verifiedInCall(app, one)), compareButton(app, one)])),
    el('span', { class: 'participant-state' }, ...momentary(app, one), ...state('microphone', on('microphone')), ...state('camera', on('camera'))),
    buttons.length > 0 ? el('div', { class: 'moderation' }, ...buttons) : null,
  );
}

/** The way to the safety number of whoever is said to be there, for who is not that person. Where nothing is encrypted keys prove nothing. @param {App} app @param {Participant} one */
function compareButton(app, one) {
  const { account } = app.keys;
  if (account === null || one.user === app.session.user?.id || app.call.lock === 'open') return null;
  return safetyButton(account, one);
}

/**
 * @param {'microphone' | 'camera'} source
 * @param {boolean} on
 */
function state(source, on) {
  const text = t(on ? `device.${source}` : `call.${source}_is_off`);
  return [icon(on ? source : `${source}-off`), el('span', { class: 'visually-hidden' }, text)];
}

/**
 * Reactions come often: the rows stay as they are.
 * @param {App} app
 * @param {HTMLElement} list
 */
function drawReactions(app, list) {
  for (const one of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll('li'))) {
    const shown = one.querySelector('.participant-reaction');
    const emoji = app.call.reactionOf(one.dataset['participant'] ?? '')?.emoji ?? '';
    if (shown && shown.textContent !== emoji) shown.textContent = emoji;
  }
}

/**
 * What somebody wants or shows at the moment.
 * @param {App} app
 * @param {Participant} one
 */
function momentary(app, one) {
  return [
    el('span', { class: 'participant-reaction', 'aria-hidden': 'true' }, app.call.reactionOf(one.participant)?.emoji ?? ''),
    typeof one.hand_raised_at === 'number' && el('span', { class: 'hand', data: { hand: 'up' } }, icon('hand'), el('span', { class: 'visually-hidden' }, t('hand.is_up'))),
  ];
}

/**
 * @param {App} app
 * @param {Participant} one
 */
function moderation(app, one) {
  const id = one.participant;
  const buttons = MODERATED.flatMap((source) => {
    const now = sourceState(one, source);
    if (!now) return [];
    if (now.forbidden) {
      const label = t(`moderate.allow.${source}`);
      return [textButton({ icon: source, label, about: one.username, action: `allow-${source}` }, () => void app.call.moderate(id, { do: 'allow', source }))];
    }
    if (now.muted) return [];
    const icons = /** @type {const} */ ({ microphone: 'microphone-off', camera: 'camera-off', screen: 'screen-off' });
    return [textButton({ icon: icons[source], label: t(/** @type {Key} */ (`moderate.${source}`)), about: one.username, action: `mute-${source}` }, () => void app.call.moderate(id, { do: 'mute', source }))];
  });
  if (typeof one.hand_raised_at === 'number') {
    buttons.unshift(textButton({ icon: 'hand', label: t('moderate.lower_hand'), about: one.username, action: 'lower-hand' }, () => void app.call.moderate(id, { do: 'lower_hand' })));
  }
  const remove = async () => {
    const agreed = await confirmFirst({ title: t('moderate.remove_title', { name: one.username }), text: t('moderate.remove_text'), action: t('moderate.remove') });
    if (agreed) await app.call.moderate(id, { do: 'remove' });
  };
  return [...buttons, textButton({ icon: 'exit', label: t('moderate.remove'), about: one.username, action: 'remove-participant' }, () => void remove())];
}

/**
 * @param {{ icon: IconName, label: string, about: string, action: string }} options
 * @param {() => void} click
 */
function textButton({ icon: name, label, about, action }, click) {
  return el('button', { class: 'chip', type: 'button', 'aria-label': labelled(label, about), data: { action }, on: { click } }, icon(name), label);
}

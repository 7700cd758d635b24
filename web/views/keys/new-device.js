/** What a device shows that nobody vouched for yet: its request, to be carried to another device by hand, or else the person's ways back. */

/** @import { NewDevice } from '../../state/keys/new-device.js' */
/** @import { WayKind } from '../../state/keys/ways.js' */

import { errorText, t } from '../../i18n/index.js';
import { el, fill } from '../../ui/dom.js';
import { field, form, spinner } from '../../ui/form.js';
import { qrCode } from '../../ui/qr.js';
import { toast } from '../../ui/toast.js';
import { requestLink } from '../../state/keys/records.js';
import { showWay } from './show-way.js';

/** @param {NewDevice} asking */
export function newDevicePart(asking) {
  const part = el('div', { class: 'stack' }, spinner());
  const own = el('div', {});
  const drawRequest = async () => {
    const { request, code } = await asking.request();
    const link = requestLink(request, location.origin);
    fill(own, requestPart(link, code, await asking.squares(link)));
  };
  const draw = async () => {
    try {
      const [ways] = await Promise.all([asking.ways(), drawRequest()]);
      fill(part, own, ways.length > 0 ? recoverPart(asking, ways) : null, anewPart(asking, drawRequest));
    } catch (error) {
      fill(part, el('p', { class: 'problem' }, errorText(error)), el('button', { class: 'button', type: 'button', data: { action: 'retry' }, on: { click: () => void draw() } }, t('common.retry')));
    }
  };
  void draw();
  return part;
}

/** @param {string} link @param {string} code @param {string[] | null} squares of the link as a QR code; null: it is too long */
function requestPart(link, code, squares) {
  const input = el('input', { class: 'copyable', readonly: true, value: link, 'aria-label': t('keys.ask_link') });
  const copy = async () => {
    input.select();
    try {
      await navigator.clipboard.writeText(link);
      toast(t('keys.copied'));
    } catch {
      // It stands there, selected, to be copied by hand.
    }
  };
  return el(
    'div',
    { class: 'stack' },
    el('h3', {}, t('keys.ask_title')),
    el('p', {}, t('keys.ask_hint')),
    el('div', { class: 'row' }, input, el('button', { class: 'button', type: 'button', data: { action: 'copy-request' }, on: { click: () => void copy() } }, t('keys.copy'))),
    squares && el('div', {}, el('p', {}, t('people.link_code_hint')), qrCode(squares, t('people.link_code'))),
    el('div', {}, el('p', {}, t('keys.code')), el('p', { class: 'keys-code' }, code)),
  );
}

/** @param {NewDevice} asking @param {readonly WayKind[]} ways */
function recoverPart(asking, ways) {
  return el('div', { class: 'stack' }, el('h3', {}, t('keys.recover_title')), el('p', {}, t('keys.recover_hint')), ...showWay(ways, (shown) => asking.recover(shown)));
}

/** @param {NewDevice} asking @param {() => Promise<void>} drawRequest of the device that asks then */
function anewPart(asking, drawRequest) {
  const password = field({ label: t('settings.current_password'), name: 'password', type: 'password', autocomplete: 'current-password' });
  /** The device that asked gave way to the one that was not taken: another asks now. @param {unknown} error */
  const failed = async (error) => {
    await drawRequest().catch(() => {});
    throw error;
  };
  const begin = form({ submit: t('keys.anew'), action: 'begin-anew', send: ({ password: given = '' }) => asking.beginAnew(given).catch(failed) }, password);
  return el('details', { data: { part: 'anew' } }, el('summary', {}, t('keys.anew_title')), el('div', { class: 'stack' }, el('p', {}, t('keys.anew_hint')), begin));
}

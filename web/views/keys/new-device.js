/** What a device shows that nobody vouched for yet: its request, to be carried to another device by hand, and the field for the recovery code. */

/** @import { NewDevice } from '../../state/keys/new-device.js' */

import { errorText, t } from '../../i18n/index.js';
import { el, fill } from '../../ui/dom.js';
import { field, form, spinner } from '../../ui/form.js';
import { qrCode } from '../../ui/qr.js';
import { toast } from '../../ui/toast.js';
import { requestLink } from '../../state/keys/records.js';

/** @param {NewDevice} asking */
export function newDevicePart(asking) {
  const part = el('div', { class: 'stack' }, spinner());
  const draw = async () => {
    try {
      const [{ request, code }, isRecoverable] = await Promise.all([asking.request(), asking.isRecoverable()]);
      const link = requestLink(request, location.origin);
      fill(part, requestPart(link, code, await asking.squares(link)), isRecoverable ? recoverPart(asking) : null);
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

/** @param {NewDevice} asking */
function recoverPart(asking) {
  return el(
    'div',
    { class: 'stack' },
    el('h3', {}, t('keys.recover_title')),
    form({ submit: t('keys.recover'), action: 'recover', send: ({ code = '' }) => asking.recover(code) }, codeField()),
  );
}

/** Nothing remembers or corrects what is typed here. */
export function codeField() {
  return field({ label: t('keys.recovery_code'), name: 'code', attributes: { spellcheck: 'false', autocapitalize: 'characters', maxlength: '64' } });
}

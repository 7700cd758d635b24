/** How a room that is made is to be protected, for as long as there is the room. */

/** @import { App } from './page.js' */
/** @import { Room } from '../api.js' */

import { t } from '../i18n/index.js';
import { el, fill } from '../ui/dom.js';
import { encryptionNote, strictNote } from './encryption.js';

/**
 * It is encrypted, unless its maker says otherwise or this browser cannot.
 * @param {App} app
 * @returns {{ element: HTMLElement, chosen: () => Pick<Room, 'encryption' | 'strict'> }}
 */
export function encryptionChoice({ call: { canEncrypt } }) {
  const sealed = el('input', { type: 'checkbox', name: 'encrypted', checked: canEncrypt });
  const strict = el('input', { type: 'checkbox', name: 'strict' });
  /** @returns {Pick<Room, 'encryption' | 'strict'>} */
  const chosen = () => ({ encryption: sealed.checked ? 'mls' : 'open', strict: sealed.checked && strict.checked });
  const stricter = el('label', { class: 'check' }, strict, el('span', {}, t('encryption.choose_strict')));
  const note = el('div', {});
  const explain = () => {
    stricter.hidden = !sealed.checked;
    fill(note, encryptionNote(chosen().encryption), strictNote(chosen()), el('p', { class: 'hint' }, t('encryption.for_good')));
  };
  for (const choice of [sealed, strict]) choice.addEventListener('change', explain);
  explain();
  const choose = canEncrypt ? el('label', { class: 'check' }, sealed, el('span', {}, t('encryption.choose'))) : el('p', { class: 'hint' }, t('error.encryption_unsupported'));
  return { element: el('div', {}, choose, stricter, note), chosen };
}

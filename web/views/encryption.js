/** What protects a call, said in a few words where the call is, and in a sentence to whoever presses them. */

import { t } from '../i18n/index.js';
import { openDialog } from '../ui/dialog.js';
import { el } from '../ui/dom.js';
import { icon } from '../ui/icons.js';

/** The badge of a call that is not end-to-end encrypted. */
export function encryptionBadge() {
  const explain = () => openDialog({ title: t('encryption.open'), class: 'narrow' }, el('p', {}, t('encryption.open_hint')));
  return el('button', { class: 'badge open', type: 'button', 'aria-haspopup': 'dialog', title: t('encryption.open_hint'), data: { action: 'encryption' }, on: { click: explain } }, icon('lock'), t('encryption.open'));
}

/** The same as a note: words and sentence together. */
export function encryptionNote() {
  return el('p', { class: 'hint with-icon' }, icon('lock'), el('span', {}, `${t('encryption.open')}. ${t('encryption.open_hint')}`));
}

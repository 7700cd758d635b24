/** The recovery code in the settings: made, shown once, and entered on a device that is to do more. */

/** @import { KeysAccount } from '../../state/keys/account.js' */
/** @import { RecoveryStanding } from '../../state/keys/recovery.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { form } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { codeField } from './new-device.js';

/**
 * @param {KeysAccount} account
 * @param {{ standing: RecoveryStanding, hasIdentity: boolean }} found
 * @param {() => Promise<void>} draw
 * @returns {Child[]}
 */
export function recoveryPart(account, { standing, hasIdentity }, draw) {
  const title = el('h3', {}, t('keys.recovery_title'));
  if (!hasIdentity) return [title, el('p', {}, t('keys.cannot_vouch')), standing === 'none' ? el('p', { class: 'hint' }, t('keys.recovery_elsewhere')) : enterPart(account, draw)];
  const isMade = standing === 'made';
  const make = form({ submit: t(isMade ? 'keys.recovery_again' : 'keys.recovery_make'), action: 'make-recovery-code', send: async () => show(account, await account.recovery.make(), draw) });
  return [title, el('p', {}, t(isMade ? 'keys.recovery_made' : 'keys.recovery_none')), make];
}

/** @param {KeysAccount} account @param {() => Promise<void>} draw */
function enterPart(account, draw) {
  const send = async ({ code = '' }) => {
    await account.recovery.enter(code);
    toast(t('keys.entered'));
    await draw();
  };
  return form({ submit: t('keys.enter'), action: 'enter-recovery-code', send }, codeField());
}

/** The code stands in this dialog, and nowhere once it is closed. @param {KeysAccount} account @param {{ id: string, code: string }} made @param {() => Promise<void>} draw */
function show(account, { id, code }, draw) {
  let isKept = false;
  const kept = form({
    submit: t('keys.recovery_kept'),
    action: 'recovery-code-kept',
    send: async () => {
      await account.recovery.kept(id);
      isKept = true;
      dialog.close();
    },
  });
  const closed = () => {
    toast(t(isKept ? 'keys.recovery_done' : 'keys.recovery_dropped'), isKept ? 'note' : 'problem');
    void draw();
  };
  const dialog = openDialog({ title: t('keys.recovery_title'), class: 'narrow', closed }, el('div', { class: 'stack' }, el('p', { class: 'keys-code' }, code), el('p', {}, t('keys.recovery_once')), kept));
}

/** A new recovery code. It stands in this dialog, and nowhere once it is closed. */

/** @import { KeysAccount } from '../../state/keys/account.js' */

import { t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { form } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';

/** @param {KeysAccount} account @param {{ id: string, code: string }} made @param {() => Promise<void>} draw */
export function openCode(account, { id, code }, draw) {
  let isKept = false;
  const kept = form({
    submit: t('keys.recovery_kept'),
    action: 'recovery-code-kept',
    send: async () => {
      // Whatever becomes of the answer, the person has this one and no other.
      isKept = true;
      await account.recovery.kept(id);
      dialog.close();
    },
  });
  const closed = async () => {
    toast(t(isKept ? 'keys.recovery_done' : 'keys.recovery_dropped'), isKept ? 'note' : 'problem');
    // What does not reach the server now is made up for by the next look.
    if (!isKept) await account.recovery.dropped(id).catch(() => undefined);
    await draw();
  };
  const dialog = openDialog({ title: t('keys.way_recovery_code'), class: 'narrow', closed: () => void closed() }, el('div', { class: 'stack' }, el('p', { class: 'keys-code' }, code), el('p', {}, t('keys.recovery_once')), kept));
}

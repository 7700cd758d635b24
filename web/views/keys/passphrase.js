/** A passphrase is chosen: typed twice, judged before anything is done with it. */

/** @import { KeysAccount } from '../../state/keys/account.js' */

import { t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { form } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { MIN_CHARACTERS, weaknessOf } from '../../state/keys/passphrase.js';
import { passphraseField } from './show-way.js';

/** @param {KeysAccount} account @param {string} username @param {() => Promise<void>} draw */
export function openPassphrase(account, username, draw) {
  const choose = form(
    {
      submit: t('keys.passphrase_set'),
      action: 'passphrase-set',
      busy: t('keys.takes_seconds'),
      check: ({ passphrase = '', again = '' }) => weaknessOf(passphrase, username) ?? (passphrase === again ? null : 'passphrases_differ'),
      send: async ({ passphrase = '' }) => {
        await account.recovery.addPassphrase(passphrase);
        dialog.close();
        toast(t('keys.passphrase_done'));
        await draw();
      },
    },
    passphraseField(t('keys.way_passphrase'), 'passphrase', t('keys.passphrase_hint', { count: MIN_CHARACTERS })),
    passphraseField(t('keys.passphrase_again'), 'again'),
  );
  const dialog = openDialog({ title: t('keys.way_passphrase'), class: 'narrow' }, el('div', { class: 'stack' }, el('p', {}, t('keys.passphrase_text')), choose));
}

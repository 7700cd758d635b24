/** The safety number of two people, large enough to be read out; where one of them has new keys, accepting them stands below it. */

/** @import { KeysAccount } from '../../state/keys/account.js' */

import { errorText, t } from '../../i18n/index.js';
import { openDialog } from '../../ui/dialog.js';
import { el, fill } from '../../ui/dom.js';
import { form, spinner } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';

/** Digits that are read out in one breath. */
const GROUP = /\d{5}/g;

/**
 * @param {KeysAccount} account
 * @param {{ user: string, username: string }} person
 */
export function openCompare(account, { user, username }) {
  const body = el('div', { class: 'stack' }, spinner());
  const dialog = openDialog({ title: t('keys.safety_of', { name: username }), class: 'narrow' }, body);
  const draw = async () => {
    try {
      const { digits, identity } = await account.safetyNumber(user);
      const isChanged = account.trustIn(user) === 'changed';
      const accept = async () => {
        await account.accept(user, identity);
        dialog.close();
        toast(t('keys.accepted', { name: username }));
      };
      fill(
        body,
        el('p', { class: 'safety-number' }, ...(digits.match(GROUP) ?? []).map((group) => el('span', {}, group, ' '))),
        el('p', {}, t('keys.safety_hint', { name: username })),
        isChanged ? el('p', { class: 'problem' }, icon('warning'), el('span', {}, t('keys.safety_new', { name: username }))) : null,
        isChanged ? form({ submit: t('keys.same'), action: 'accept-keys', send: accept }) : null,
      );
    } catch (error) {
      fill(body, el('p', { class: 'problem' }, icon('warning'), el('span', {}, errorText(error))));
    }
  };
  void draw();
}

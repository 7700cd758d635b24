/**
 * Where a person shows one of the ways back: a field for the code, one for the passphrase, a button for a passkey. Of several ways the first stands
 * open, and the others can be opened in its place.
 */

/** @import { Shown, WayKind } from '../../state/keys/ways.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { el } from '../../ui/dom.js';
import { field, form } from '../../ui/form.js';

/**
 * @param {readonly WayKind[]} kinds that there are
 * @param {(shown: Shown) => Promise<void>} send
 * @returns {Child[]}
 */
export function showWay(kinds, send) {
  const [first] = kinds;
  if (first === undefined) return [];
  if (kinds.length === 1) return [el('h4', {}, wayName(first)), wayForm(first, send)];
  return kinds.map((kind) => el('details', { class: 'way', name: 'ways', open: kind === first, data: { way: kind } }, el('summary', {}, wayName(kind)), wayForm(kind, send)));
}

/** @param {WayKind} kind */
export function wayName(kind) {
  return t(`keys.way_${kind}`);
}

/** @param {WayKind} kind @param {(shown: Shown) => Promise<void>} send */
function wayForm(kind, send) {
  switch (kind) {
    case 'recovery_code':
      return form({ submit: t('keys.use_code'), action: 'use-recovery-code', send: ({ code = '' }) => send({ kind, text: code }) }, codeField());
    case 'passphrase':
      return form({ submit: t('keys.use_passphrase'), action: 'use-passphrase', busy: t('keys.takes_seconds'), send: ({ passphrase = '' }) => send({ kind, text: passphrase }) }, passphraseField(t('keys.way_passphrase'), 'passphrase'));
    case 'passkey':
      return form({ submit: t('keys.use_passkey'), action: 'use-passkey', send: () => send({ kind }) });
  }
}

/** Nothing remembers or corrects what is typed here. */
function codeField() {
  return field({ label: t('keys.way_recovery_code'), name: 'code', attributes: { spellcheck: 'false', autocapitalize: 'characters', maxlength: '64' } });
}

/**
 * Kept apart from the password of the account, which browsers remember for this site.
 * @param {string} label
 * @param {string} name
 * @param {string} [hint]
 */
export function passphraseField(label, name, hint) {
  return field({ label, name, type: 'password', attributes: { spellcheck: 'false', maxlength: '256' }, ...(hint === undefined ? {} : { hint }) });
}

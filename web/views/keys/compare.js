/**
 * Comparing keys with somebody: words and a number to be read out, a code for the other's camera. Who finds them the same presses that, and the
 * other is verified; new keys are accepted by that, or by saying that one does so without comparing.
 */

/** @import { KeysAccount } from '../../state/keys/account.js' */
/** @import { Child } from '../../ui/dom.js' */

import { errorText, t } from '../../i18n/index.js';
import { confirmFirst, openDialog } from '../../ui/dialog.js';
import { el, fill } from '../../ui/dom.js';
import { form, spinner } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { qrCode } from '../../ui/qr.js';
import { safetyEmoji } from '../../ui/safety-emoji.js';
import { toast } from '../../ui/toast.js';
import { attempt } from '../room-acts.js';
import { scanPart } from './scan.js';

/** Digits that are read out in one breath. */
const GROUP = /\d{5}/g;

/** @typedef {{ user: string, username: string }} Person */
/** @typedef {Awaited<ReturnType<KeysAccount['people']['safetyNumber']>>} SafetyNumber */

/**
 * @param {KeysAccount} account
 * @param {Person} person
 */
export function openCompare(account, person) {
  const ending = new AbortController();
  const body = el('div', { class: 'stack' }, spinner());
  const dialog = openDialog({ title: t('keys.safety_of', { name: person.username }), class: 'narrow', closed: () => ending.abort() }, body);
  /** @param {string} said */
  const done = (said) => {
    dialog.close();
    toast(said);
  };
  const draw = async () => {
    try {
      const number = await account.people.safetyNumber(person.user);
      if (!ending.signal.aborted) fill(body, ...parts(account, person, number, { done, signal: ending.signal }));
    } catch (error) {
      fill(body, problem(errorText(error)));
    }
  };
  void draw();
}

/**
 * @param {KeysAccount} account
 * @param {Person} person
 * @param {SafetyNumber} number
 * @param {{ done: (said: string) => void, signal: AbortSignal }} dialog
 * @returns {Child[]}
 */
function parts(account, { user, username: name }, { digits, words, squares, identity }, { done, signal }) {
  const isChanged = account.trustIn(user) === 'changed';
  const { verified } = account.people.markOf(user);
  /** @param {string} compared */
  const verify = async (compared) => {
    await account.verify(user, compared, name);
    done(t('people.now_verified', { name }));
  };
  const scanned = async (/** @type {string} */ text) => verify(await account.people.checkScanned(user, text));
  return [
    verified === 'yes' ? el('p', { class: 'with-icon verified' }, icon('shield'), el('span', {}, t('people.verified_hint', { name }))) : null,
    isChanged ? problem(t(verified === 'lost' ? 'people.safety_lost' : 'keys.safety_new', { name })) : null,
    el('p', {}, t('keys.safety_hint', { name })),
    el('h3', {}, t('people.in_words')),
    safetyEmoji(words, t('people.in_words')),
    el('h3', {}, t('people.in_digits')),
    el('p', { class: 'safety-number' }, ...(digits.match(GROUP) ?? []).map((group) => el('span', {}, group, ' '))),
    el('h3', {}, t('people.in_person')),
    el('p', { class: 'hint' }, t('people.show_code', { name })),
    qrCode(squares, t('people.code_for', { name })),
    scanPart({ button: t('people.scan', { name }), hint: t('people.scanning', { name }), scanned }, signal),
    verified === 'yes' ? null : form({ submit: t('people.match'), action: 'verify', send: () => verify(identity) }),
    isChanged ? acceptAnyway(account, { user, username: name }, identity, done) : null,
  ];
}

/**
 * @param {KeysAccount} account
 * @param {Person} person
 * @param {string} identity
 * @param {(said: string) => void} done
 */
function acceptAnyway(account, { user, username: name }, identity, done) {
  const accept = async () => {
    const question = { title: t('people.accept_title', { name }), text: t('people.accept_text', { name }), action: t('people.accept_unseen') };
    if ((await confirmFirst(question)) && (await attempt(() => account.accept(user, identity)))) done(t('keys.accepted', { name }));
  };
  return el('button', { class: 'button wide', type: 'button', data: { action: 'accept-keys' }, on: { click: () => void accept() } }, t('people.accept_unseen'));
}

/** @param {string} text */
function problem(text) {
  return el('p', { class: 'problem' }, icon('warning'), el('span', {}, text));
}

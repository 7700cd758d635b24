/** The ways back in the settings: which there are, adding one and taking one away; on a device that has not the keys yet, showing one. */

/** @import { KeysAccount } from '../../state/keys/account.js' */
/** @import { RecoveryLook } from '../../state/keys/recovery.js' */
/** @import { Way, WayKind } from '../../state/keys/ways.js' */
/** @import { Child } from '../../ui/dom.js' */

import { t } from '../../i18n/index.js';
import { confirmFirst } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { form, labelled } from '../../ui/form.js';
import { icon } from '../../ui/icons.js';
import { toast } from '../../ui/toast.js';
import { attempt } from '../room-acts.js';
import { openPassphrase } from './passphrase.js';
import { openCode } from './recovery-code.js';
import { showWay, wayName } from './show-way.js';

/**
 * @typedef {object} Found
 * @property {RecoveryLook} recovery
 * @property {boolean} hasIdentity
 * @property {boolean} hasPasskeys whether this browser can use them
 * @property {number} devices of the person, that count
 * @property {string} username
 */

/** @typedef {{ account: KeysAccount, found: Found, draw: () => Promise<void> }} Place */

/** @param {KeysAccount} account @param {Found} found @param {() => Promise<void>} draw @returns {Child[]} */
export function recoveryPart(account, found, draw) {
  const { recovery, hasIdentity } = found;
  const title = el('h3', {}, t('keys.ways_title'));
  if (!hasIdentity) return [title, el('p', {}, t('keys.cannot_vouch')), ...lockedParts(account, found, draw)];
  const place = { account, found, draw };
  const rows = recovery.ways.map((way) => wayRow(place, way));
  return [title, standingLine(found), rows.length > 0 ? el('ul', { class: 'sessions' }, ...rows) : null, addRow(place)];
}

/** @param {KeysAccount} account @param {Found} found @param {() => Promise<void>} draw @returns {Child[]} */
function lockedParts(account, { recovery, hasPasskeys }, draw) {
  if (recovery.standing === 'none') return [el('p', { class: 'hint' }, t('keys.recovery_elsewhere'))];
  const kinds = [...new Set(recovery.ways.map(({ kind }) => kind))].filter((kind) => kind !== 'passkey' || hasPasskeys);
  return showWay(kinds, async (shown) => {
    await account.recovery.enter(shown);
    toast(t('keys.entered'));
    await draw();
  });
}

/** In one sentence, whether anything would be lost. @param {Found} found */
function standingLine({ recovery: { ways, isBackedUp }, devices }) {
  const [name, text] = isBackedUp
    ? ['backed-up', t('keys.ways_count', { count: ways.length })]
    : ways.length > 0
      ? ['one', t('keys.ways_one')]
      : ['none', t(devices > 1 ? 'keys.ways_none_devices' : 'keys.ways_none')];
  return el('p', { class: isBackedUp ? 'with-icon' : 'with-icon wanting', data: { backup: name } }, icon(isBackedUp ? 'check' : 'warning'), el('span', {}, text));
}

/** @param {Place} place @param {Way} way */
function wayRow(place, way) {
  const { kind } = way;
  const name = nameOf(place.found.recovery.ways, way);
  const again = kind === 'passkey' ? null : button(t(`keys.again_${kind}`), name, `again-${kind}`, () => begin(place, kind));
  const remove = button(t('keys.remove'), name, 'remove-way', () => removeWay(place, way, name));
  return el('li', { class: 'session', data: { way: kind } }, el('div', {}, el('p', {}, name), el('span', { class: 'hint' }, t(`keys.about_${kind}`))), el('div', { class: 'row' }, again, remove));
}

/** Passkeys have no names that the page learns: several are numbered as they were added. @param {readonly Way[]} ways @param {Way} way */
function nameOf(ways, way) {
  const alike = ways.filter(({ kind }) => kind === way.kind);
  return alike.length > 1 ? t('keys.way_numbered', { name: wayName(way.kind), number: alike.indexOf(way) + 1 }) : wayName(way.kind);
}

/** What is not there yet, and one more passkey. @param {Place} place */
function addRow(place) {
  const { recovery: { ways }, hasPasskeys } = place.found;
  const kinds = /** @type {WayKind[]} */ (['recovery_code', 'passphrase', 'passkey']).filter((kind) => {
    if (kind === 'passkey') return hasPasskeys;
    return ways.every((way) => way.kind !== kind);
  });
  return el('div', { class: 'add-ways' }, ...kinds.map((kind) => form({ submit: t(`keys.add_${kind}`), action: `add-${kind}`, send: () => begin(place, kind) })));
}

/** @param {Place} place @param {WayKind} kind */
async function begin({ account, found, draw }, kind) {
  if (kind === 'recovery_code') openCode(account, await account.recovery.make(), draw);
  if (kind === 'passphrase') openPassphrase(account, found.username, draw);
  if (kind !== 'passkey') return;
  await account.recovery.addPasskey(found.username);
  toast(t('keys.passkey_added'));
  await draw();
}

/** @param {Place} place @param {Way} way @param {string} name */
async function removeWay({ account, found, draw }, { ids }, name) {
  const left = found.recovery.ways.length - 1;
  const text = left > 1 ? t('keys.remove_text') : t(left === 1 ? 'keys.remove_leaves_one' : 'keys.remove_leaves_none');
  const agreed = await confirmFirst({ title: t('keys.remove_title', { name }), text, action: t('keys.remove') });
  if (!agreed || !(await attempt(() => account.recovery.remove(ids)))) return;
  toast(t('keys.removed', { name }));
  await draw();
}

/** @param {string} label @param {string} about @param {string} action @param {() => Promise<void>} act */
function button(label, about, action, act) {
  return el('button', { class: 'button', type: 'button', 'aria-label': labelled(label, about), data: { action }, on: { click: () => void attempt(act) } }, label);
}

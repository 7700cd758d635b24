/** The person's devices, seen from one that counts: the list, revoking one, confirming a new one. */

/** @import { KeysAccount } from '../../state/keys/account.js' */
/** @import { OwnDeviceRow } from '../../state/keys/own-devices.js' */
/** @import { ReadRequest } from '../../state/keys/records.js' */
/** @import { Child } from '../../ui/dom.js' */

import { errorText, moment, t } from '../../i18n/index.js';
import { uuidOf } from '../../state/keys/bytes.js';
import { confirmFirst, openDialog } from '../../ui/dialog.js';
import { el } from '../../ui/dom.js';
import { field, form, labelled } from '../../ui/form.js';
import { toast } from '../../ui/toast.js';
import { attempt } from '../room-acts.js';
import { scanPart } from './scan.js';

/** By this a new device is offered in the address of the settings. */
const OFFER = '#device=';
/** Of a device's name, which says nothing to anybody: enough to tell sixteen of them apart. */
const NAME_DIGITS = 4;

/**
 * @param {KeysAccount} account
 * @param {{ rows: OwnDeviceRow[], hasIdentity: boolean }} found
 * @param {() => Promise<void>} draw
 * @param {AbortSignal} signal until it is drawn anew
 * @returns {Child[]}
 */
export function devicesPart(account, { rows, hasIdentity }, draw, signal) {
  const list = el('ul', { class: 'sessions' }, ...rows.map((row) => deviceRow(account, row, hasIdentity, draw)));
  return [el('h3', {}, t('keys.devices')), list, hasIdentity ? addPart(account, draw, signal) : null];
}

/** Whoever opened the link of a new device is asked about it, once. @param {KeysAccount} account @param {() => Promise<void>} draw */
export function offeredDevice(account, draw) {
  const { hash, pathname, search } = location;
  if (!hash.startsWith(OFFER)) return;
  history.replaceState(null, '', pathname + search);
  void account.devices.read(hash).then(
    (request) => confirmDevice(account, request, draw),
    (error) => toast(errorText(error), 'problem'),
  );
}

/** @param {string} id */
export function deviceName(id) {
  return t('keys.device', { name: uuidOf(id).slice(0, NAME_DIGITS).toUpperCase() });
}

/** @param {KeysAccount} account @param {OwnDeviceRow} row @param {boolean} hasIdentity @param {() => Promise<void>} draw */
function deviceRow(account, { id, added_ms, isThis, isNew }, hasIdentity, draw) {
  const name = deviceName(id);
  const revoke = async () => {
    const agreed = await confirmFirst({ title: t('keys.revoke_title', { name }), text: t('keys.revoke_text'), action: t('keys.revoke') });
    if (!agreed || !(await attempt(() => account.devices.revoke(id)))) return;
    toast(t('keys.revoked'));
    await draw();
  };
  const button = el('button', { class: 'button', type: 'button', 'aria-label': labelled(t('keys.revoke'), name), data: { action: 'revoke-device' }, on: { click: () => void revoke() } }, t('keys.revoke'));
  return el(
    'li',
    { class: 'session', data: { device: uuidOf(id) } },
    el('div', {}, el('p', {}, name, ' ', isThis ? el('span', { class: 'badge' }, t('keys.this_device')) : null, isNew ? el('span', { class: 'badge', data: { badge: 'new' } }, t('keys.device_new')) : null), el('span', { class: 'hint' }, t('keys.added', { when: moment(added_ms) }))),
    isThis || !hasIdentity ? null : button,
  );
}

/** @param {KeysAccount} account @param {() => Promise<void>} draw @param {AbortSignal} signal */
function addPart(account, draw, signal) {
  /** @param {string} text */
  const scanned = async (text) => confirmDevice(account, await account.devices.read(text), draw);
  const add = form(
    {
      submit: t('keys.add'),
      action: 'add-device',
      send: async ({ link = '' }) => {
        const request = await account.devices.read(link);
        add.reset();
        confirmDevice(account, request, draw);
      },
    },
    field({ label: t('keys.add_link'), name: 'link', hint: t('keys.add_hint'), attributes: { spellcheck: 'false' } }),
  );
  return el('div', { class: 'stack' }, el('h3', {}, t('keys.add_title')), add, scanPart({ button: t('people.scan_device'), hint: t('people.scanning_device'), scanned }, signal));
}

/** @param {KeysAccount} account @param {ReadRequest} request @param {() => Promise<void>} draw */
function confirmDevice(account, request, draw) {
  const agree = form({
    submit: t('keys.confirm'),
    action: 'confirm-device',
    send: async () => {
      await account.devices.vouch(request);
      dialog.close();
      toast(t('keys.confirmed'));
      await draw();
    },
  });
  const cancel = el('button', { class: 'button', type: 'button', autofocus: true, data: { action: 'cancel' }, on: { click: () => dialog.close() } }, t('common.cancel'));
  const dialog = openDialog({ title: t('keys.confirm_title'), class: 'narrow' }, el('div', { class: 'stack' }, el('p', { class: 'keys-code' }, request.code), el('p', {}, t('keys.confirm_text')), agree, cancel));
}

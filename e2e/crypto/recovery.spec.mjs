// The ways back to a person's keys, and what a device hands over to one that it vouches for: the page's own states with the client's own
// cryptography, against a real server that loses, keeps back and shows older things. Only pages and browsers are left out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UNLOCKERS_SLOT } from '../../web/state/keys/recovery.js';
import { fromServer, toServer, uuidOf } from '../../web/state/keys/bytes.js';
import { Authenticator } from './lib/authenticator.mjs';
import { codeOf, idOf, keepsBack, owner, secondOf, vouch } from './lib/owners.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage();
const PASSPHRASE = 'correct horse battery staple';
const LIST = `/e2ee/backups/${UNLOCKERS_SLOT}`;

const kindsOf = async (client) => (await (await client.ready()).recovery.look()).ways.map(({ kind }) => kind);
const slotOf = async (client) => uuidOf(await idOf(client)).replaceAll('-', '');

/** Somebody with a phone that has passkeys, at hand wherever they sign in. */
async function withPhone() {
  const { client, rooms } = await owner(on);
  client.stop();
  const phone = new Authenticator();
  const again = client.anew();
  again.passkeys = phone;
  on.people.kept(await again.start());
  await again.ready();
  return { client: again, phone, room: rooms[0] };
}

/** The device counts, in the room's group too. */
async function isBack(first, second, room) {
  await second.ready();
  await agree([first, second], room, [first]);
}

test('a passphrase makes a fresh device count, a wrong one does not, and one that was replaced no longer does', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const { recovery } = await first.ready();
  await recovery.addPassphrase('the one before it, replaced');
  await recovery.addPassphrase(PASSPHRASE);
  assert.deepEqual(await kindsOf(first), ['passphrase']);
  const second = await secondOf(on, first);
  const shows = (text) => codeOf(second.keys.asking.recover({ kind: 'passphrase', text }));
  assert.deepEqual(await second.keys.asking.ways(), ['passphrase']);
  assert.equal(await shows(`${PASSPHRASE}r`), 'wrong_secret');
  assert.equal(await shows('the one before it, replaced'), 'wrong_secret');
  assert.equal(await codeOf(second.keys.asking.recover({ kind: 'passkey' })), 'not_there');
  assert.equal(second.keys.status, 'unvouched');
  assert.equal(await shows(PASSPHRASE), null);
  await isBack(first, second, room);
  assert.deepEqual(await kindsOf(second), ['passphrase'], 'and it can change the ways');
});

test('a passkey makes a fresh device count, and another phone does not', async () => {
  const { client: first, room } = await withPhone();
  await (await first.ready()).recovery.addPasskey('ann');
  const second = await secondOf(on, first);
  assert.deepEqual(await second.keys.asking.ways(), ['passkey']);
  await second.keys.asking.recover({ kind: 'passkey' });
  await isBack(first, second, room);
  first.passkeys = new Authenticator();
  const third = await secondOf(on, first);
  assert.equal(await codeOf(third.keys.asking.recover({ kind: 'passkey' })), 'passkey_cancelled');
});

test('t27_the_passkey_is_gone_and_the_second_way_restores_and_with_one_way_left_it_says_so', async () => {
  const { client: first, phone, room } = await withPhone();
  const { recovery } = await first.ready();
  await recovery.addPasskey('ann');
  assert.equal((await recovery.look()).isBackedUp, false, 'one way is none to rely on');
  const { id, code } = await recovery.make();
  await recovery.kept(id);
  assert.equal((await recovery.look()).isBackedUp, true);
  phone.forget();
  const second = await secondOf(on, first);
  assert.equal(await codeOf(second.keys.asking.recover({ kind: 'passkey' })), 'passkey_cancelled');
  await second.keys.asking.recover({ kind: 'recovery_code', text: code });
  await isBack(first, second, room);
  const [, passkey] = (await second.keys.account.recovery.look()).ways;
  await second.keys.account.recovery.remove(passkey.ids);
  for (const client of [first, second]) {
    const look = await client.keys.account.recovery.look();
    assert.deepEqual([look.ways.map(({ kind }) => kind), look.isBackedUp], [['recovery_code'], false], 'on both devices');
  }
});

test('two devices that change the ways at once both have what both did, and what one takes away the other does not bring back', async () => {
  const { client: first } = await withPhone();
  const second = await secondOf(on, first);
  await vouch(first, second);
  const [ofFirst, ofSecond] = [first.keys.account.recovery, second.keys.account.recovery];
  await Promise.all([ofFirst.addPasskey('ann'), ofSecond.addPassphrase(PASSPHRASE)]);
  for (const client of [first, second]) assert.deepEqual(await kindsOf(client), ['passphrase', 'passkey']);
  const [passphrase] = (await ofFirst.look()).ways;
  await ofFirst.remove(passphrase.ids);
  await ofSecond.addPasskey('ann');
  for (const client of [first, second]) assert.deepEqual(await kindsOf(client), ['passkey', 'passkey']);
});

/** What this client sends to change the list does not arrive, or is never answered. */
function loses(client, what) {
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    if (init.method !== 'PUT' || !url.pathname.endsWith(LIST)) return whole(url, init);
    if (what === 'answer') await whole(url, init);
    throw new TypeError('the connection broke');
  };
  return () => (client.fetch = whole);
}

for (const what of ['request', 'answer']) {
  test(`a passphrase whose ${what} was lost on the way is in force on no device, and can be set again`, async () => {
    const { client: first } = await owner(on);
    const { recovery } = await first.ready();
    const mend = loses(first, what);
    assert.notEqual(await codeOf(recovery.addPassphrase(PASSPHRASE)), null);
    mend();
    assert.deepEqual(await kindsOf(first), []);
    const second = await secondOf(on, first);
    assert.deepEqual(await second.keys.asking.ways(), []);
    await recovery.addPassphrase(PASSPHRASE);
    assert.deepEqual(await second.keys.asking.ways(), ['passphrase']);
  });
}

test('a way that was taken away while the page died is gone after a reload, at the server too', async () => {
  const { client: first } = await withPhone();
  const { recovery } = await first.ready();
  await recovery.addPasskey('ann');
  const [passkey] = (await recovery.look()).ways;
  loses(first, 'request');
  assert.notEqual(await codeOf(recovery.remove(passkey.ids)), null);
  const second = await secondOf(on, first);
  assert.deepEqual(await second.keys.asking.ways(), ['passkey'], 'as long as nobody looked');
  const back = await on.people.reloaded(first);
  assert.deepEqual(await kindsOf(back), []);
  assert.deepEqual(await second.keys.asking.ways(), []);
});

test('t7_an_older_list_brings_back_nothing_that_was_taken_away_and_a_changed_one_restores_nothing', async () => {
  const { client: first, room } = await withPhone();
  const { recovery } = await first.ready();
  const { id, code } = await recovery.make();
  await recovery.kept(id);
  await recovery.addPasskey('ann');
  const older = await first.api.call('GET', LIST.slice(1));
  const [, passkey] = (await recovery.look()).ways;
  await recovery.remove(passkey.ids);
  const { version } = await first.api.call('GET', LIST.slice(1));
  const whole = first.fetch;
  first.fetch = async (url, init) => (init.method === 'GET' && url.pathname.endsWith(LIST) ? Response.json({ ...older, version }) : whole(url, init));
  assert.deepEqual(await kindsOf(first), ['recovery_code']);
  first.fetch = whole;
  assert.deepEqual(await kindsOf(first), ['recovery_code'], 'nor did it write it there again');

  const second = await secondOf(on, first);
  const shown = { kind: 'recovery_code', text: code };
  const honest = second.fetch;
  const bytes = Buffer.from(fromServer((await first.api.call('GET', LIST.slice(1))).body), 'base64');
  for (const at of [1, 40, Math.floor(bytes.length / 2)]) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    second.fetch = async (url, init) => (url.pathname.endsWith(LIST) ? Response.json({ version, body: toServer(changed.toString('base64')) }) : honest(url, init));
    assert.notEqual(await codeOf(second.keys.asking.recover(shown)), null, `byte ${at}`);
  }
  second.fetch = honest;
  await second.keys.asking.recover(shown);
  await isBack(first, second, room);
});

test('a device that another vouched for can do all that it can: vouch for a third one, and make ways back', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const second = await secondOf(on, first);
  await vouch(first, second);
  assert.equal(await second.keys.account.devices.hasIdentity(), true);
  const { id, code } = await second.keys.account.recovery.make();
  await second.keys.account.recovery.kept(id);
  assert.deepEqual(await kindsOf(first), ['recovery_code'], 'both have the same master key');
  const [third, fourth] = [await secondOf(on, first), await secondOf(on, first)];
  await vouch(second, third);
  await fourth.keys.asking.recover({ kind: 'recovery_code', text: code });
  await fourth.ready();
  await agree([first, second, third, fourth], room, [first]);
  assert.equal(await first.api.call('GET', `e2ee/backups/${await slotOf(second)}`).catch(({ code: why }) => why), 'backup_not_found', 'nothing of it stays with the server');
});

test('where the server keeps back what was handed over, a device still counts, and does the rest after a way back was shown on it', async () => {
  const { client: first } = await owner(on);
  const { recovery } = await first.ready();
  await recovery.addPassphrase(PASSPHRASE);
  const [second, third] = [await secondOf(on, first), await secondOf(on, first)];
  keepsBack(second);
  await vouch(first, second);
  const own = second.keys.account;
  assert.deepEqual([await own.devices.hasIdentity(), (await own.recovery.look()).standing], [false, 'locked']);
  assert.equal(await codeOf(vouch(second, third)), 'no_identity');
  const shows = (text) => codeOf(own.recovery.enter({ kind: 'passphrase', text }));
  assert.equal(await shows(`${PASSPHRASE}r`), 'wrong_secret');
  assert.equal(await shows(PASSPHRASE), null);
  assert.deepEqual([await own.devices.hasIdentity(), (await own.recovery.look()).standing], [true, 'made']);
  await vouch(second, third);
});

test('t6_what_was_handed_over_to_another_device_or_by_a_stranger_is_thrown_away', async () => {
  const { client: first } = await owner(on);
  const { client: stranger } = await owner(on);
  const [second, third] = [await secondOf(on, first), await secondOf(on, first)];
  const theirs = async (by, asking) => {
    await by.worker.ask({ op: 'backup_begin' }, 'done').catch(() => {});
    return (await by.worker.ask({ op: 'hand_over', request: (await asking.keys.asking.request()).request }, 'handover')).handover;
  };
  const forThird = await theirs(first, third);
  keepsBack(second, async () => toServer(forThird));
  await vouch(first, second);
  assert.equal(await second.keys.account.devices.hasIdentity(), false, 'it is for another one');
  // A stranger's device does not even seal for a request of this user; what it sealed for its own is shown here.
  const strangers = await secondOf(on, stranger);
  const foreign = await theirs(stranger, strangers);
  assert.equal(await codeOf(theirs(stranger, third)), 'other_user');
  keepsBack(third, async () => toServer(foreign));
  await vouch(first, third);
  assert.equal(await third.keys.account.devices.hasIdentity(), false);
  const fourth = await secondOf(on, first);
  await vouch(first, fourth);
  assert.equal(await fourth.keys.account.devices.hasIdentity(), true, 'what was meant for it is taken');
  const before = await first.keys.account.devices.fingerprint();
  assert.equal(await codeOf(first.worker.ask({ op: 'take_handover', handover: forThird }, 'done')), 'already_there', 'it never asked');
  assert.equal(await first.keys.account.devices.fingerprint(), before);
});

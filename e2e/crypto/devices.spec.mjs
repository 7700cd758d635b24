// The devices of a person, and what others see of them: the page's own states (`web/state/keys`) with the client's own cryptography, against a
// real server. Only pages and browsers are left out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toServer } from '../../web/state/keys/bytes.js';
import { requestLink } from '../../web/state/keys/records.js';
import { base64, fromBase64 } from './lib/bytes.mjs';
import { certify } from './lib/certificates.mjs';
import { Stay } from './lib/call.mjs';
import { FalseLog } from './lib/log.mjs';
import { codeOf, idOf, ORIGIN, owner, secondOf, vouch } from './lib/owners.mjs';
import { stage } from './lib/people.mjs';

const on = stage();

/** Somebody else, in these rooms. */
async function guest(rooms) {
  const client = await on.people.stranger();
  await client.start();
  for (const { link_code } of rooms) await client.rooms.join(link_code);
  await client.ready();
  return client;
}

/** All of them, and nobody else, are in the same epoch of the room's group. */
async function agree(clients, room) {
  await Promise.all(clients.map(async (client) => (await client.ready()).sync(room.id)));
  return clients[0].until(`${clients.length} devices to agree`, () => {
    const looks = clients.map((client) => client.keys.account?.lookOf(room.id) ?? null);
    const isSame = !looks.includes(null) && new Set(looks.map(({ authenticator }) => authenticator)).size === 1;
    return isSame && looks[0].members.length === clients.length ? looks[0] : null;
  });
}

/** Seals for a room as a message is. */
async function write(client, room, text) {
  await (await client.ready()).toSendIn(room.id);
  const id = crypto.randomUUID();
  const message = { op: 'seal_message', room: room.id, id, kind: 1, content: base64(Buffer.from(text)), seen: null, head: null, now_ms: Date.now() };
  const { envelope } = await client.worker.ask(message, 'sealed');
  await client.worker.ask({ op: 'sent', room: room.id, id }, 'done');
  return envelope;
}

/** The text, or the code of why not. */
async function read(client, room, envelope) {
  try {
    const { content } = await client.worker.ask({ op: 'open_message', room: room.id, envelope }, 'opened');
    return Buffer.from(content, 'base64').toString();
  } catch ({ code }) {
    return code;
  }
}

test('a device that another vouched for by its code comes into all rooms of its user, and reads what comes after and nothing before', async () => {
  const { client: first, rooms } = await owner(on, 3);
  const other = await guest(rooms);
  for (const room of rooms) await agree([first, other], room);
  const earlier = await write(other, rooms[0], 'before it came');
  const second = await secondOf(on, first);
  await vouch(first, second);
  for (const room of rooms) await second.until('to be in the group', () => second.keys.account.lookOf(room.id));
  for (const room of rooms) {
    await agree([first, second, other], room);
    const later = await write(other, room, 'after it came');
    assert.equal(await read(second, room, later), 'after it came');
  }
  assert.equal(await read(second, rooms[0], earlier), 'unknown_epoch');
  assert.equal(await read(first, rooms[0], earlier), 'before it came', 'who was there reads it');
  const rows = await second.keys.account.devices.list();
  assert.deepEqual(rows.map(({ isThis }) => isThis), [true, false]);
  assert.equal(await second.keys.account.devices.fingerprint(), await first.keys.account.devices.fingerprint());
});

test('a request stays the same over a reload, and the device that was vouched for meanwhile is there by itself', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const second = await secondOf(on, first);
  const { request, code } = await second.keys.asking.request();
  const again = await on.people.reloaded(second);
  await again.until('to be told that it is not vouched for', () => again.keys.asking);
  assert.deepEqual(await again.keys.asking.request().then((asked) => [asked.request, asked.code]), [request, code]);
  again.stop();
  const { devices } = await first.ready();
  await devices.vouch(await devices.read(requestLink(request, ORIGIN)));
  const back = await on.people.reloaded(again);
  await agree([first, back], room);
});

test('t1_a_request_that_a_server_puts_in_the_place_of_another_has_another_code', async () => {
  const { client: first } = await owner(on);
  const [second, stranger] = [await secondOf(on, first), await secondOf(on, first)];
  const [shown, swapped] = [await second.keys.asking.request(), await stranger.keys.asking.request()];
  const { devices } = await first.ready();
  assert.notEqual((await devices.read(requestLink(swapped.request, ORIGIN))).code, shown.code);
  assert.equal((await devices.read(requestLink(shown.request, ORIGIN))).code, shown.code);
  const { client: somebody } = await owner(on);
  assert.equal(await codeOf((await somebody.ready()).devices.read(requestLink(shown.request, ORIGIN))), 'other_user');
  assert.equal(await codeOf(devices.read('https://example.org/settings#device=no')), 'bad_device_request');
});

test('t1_a_device_that_a_server_vouched_for_by_an_identity_of_its_own_shows_another_fingerprint_and_comes_into_no_group', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const [second, honest] = [await secondOf(on, first), await secondOf(on, first)];
  const { request } = await second.keys.asking.request();
  const device = { id: fromBase64(request).slice(17, 33), key: fromBase64(request).slice(33, 65) };
  await lies(second, first.user, first, (newest) => certify(first.user, device.key, newest, device.id));
  second.socket.dispatchEvent(new CustomEvent('message', { detail: { type: 'e2ee_keys', user: first.user } }));
  const account = await second.ready();
  const [fingerprint, real] = await Promise.all([account, first.keys.account].map(({ devices }) => devices.fingerprint()));
  assert.notEqual(fingerprint, real);
  await vouch(first, honest);
  assert.equal(await honest.keys.account.devices.fingerprint(), real);
  const look = await agree([first, honest], room);
  assert.ok(!look.members.some((member) => member.device === base64(device.id)));
});

test('t16_a_revoked_device_is_taken_out_by_the_others_reads_nothing_after_and_cannot_come_back', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const other = await guest([room]);
  const [lost, kept] = [await secondOf(on, first), await secondOf(on, first)];
  await vouch(first, lost);
  await vouch(first, kept);
  await agree([first, lost, kept, other], room);
  const device = await idOf(lost);
  await first.keys.account.devices.revoke(device);
  await lost.until('to be signed out with it', () => lost.keys.status === 'off');
  // Whoever has it knows the password, too.
  const back = await on.people.reloaded(lost);
  await back.until('to hear that it counts no more', () => back.keys.status === 'out');
  const look = await agree([first, kept, other], room);
  assert.ok(!look.members.some((member) => member.device === device));
  const after = await write(other, room, 'after it was lost');
  assert.notEqual(await read(back, room, after), 'after it was lost');
  for (const client of [back, kept]) await client.worker.ask({ op: 'forget', group: { kind: 'room', id: room.id } }, 'done').catch(() => {});
  assert.equal(await back.anyAccount.sync(room.id), null);
  assert.notEqual(await kept.keys.account.sync(room.id), null, 'a device that counts comes in again by itself');
  await agree([first, kept, other], room);
  assert.deepEqual((await first.keys.account.devices.list()).map(({ id }) => id).includes(device), false);
});

test('t1_a_device_that_a_revoked_one_makes_with_the_password_is_told_by_those_that_count_and_goes_as_it_is_revoked', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const [lost, kept] = [await secondOf(on, first), await secondOf(on, first)];
  for (const device of [lost, kept]) await vouch(first, device);
  await agree([first, lost, kept], room);
  const news = () => [first, kept].map((client) => client.keys.account.newDevices);
  await first.keys.account.devices.revoke(await idOf(lost));
  await lost.until('to be signed out with it', () => lost.keys.status === 'off');
  assert.deepEqual(news(), [[], []]);

  // Whoever has it knows the password, and has a browser that does what they say.
  const back = await on.people.reloaded(lost);
  await back.until('to hear that it counts no more', () => back.keys.status === 'out');
  const ghost = await secondOf(on, first);
  const { request } = await ghost.keys.asking.request();
  const { record } = await back.worker.ask({ op: 'vouch', request, previous: null, now_ms: Date.now() }, 'record');
  await back.api.call('POST', 'e2ee/keys/records', { record: toServer(record) });
  await ghost.until('to count', () => ghost.keys.status === 'ready');
  const device = await idOf(ghost);
  for (const client of [first, kept]) await client.until('to tell of it', () => client.keys.account.newDevices.length > 0);
  assert.deepEqual(news(), [[device], [device]]);
  await kept.keys.account.devices.revoke(device);
  for (const client of [first, kept]) await client.until('nothing to be left to tell', () => client.keys.account.newDevices.length === 0);
  const look = await agree([first, kept], room);
  assert.ok(!look.members.some((member) => member.device === device));
});

test('the recovery code makes a fresh device count, a wrong one does not, and one that was replaced no longer does', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const { recovery } = await first.ready();
  const second = await secondOf(on, first);
  const shows = (text) => second.keys.asking.recover({ kind: 'recovery_code', text });
  assert.deepEqual([(await recovery.look()).standing, await second.keys.asking.ways()], ['none', []]);
  assert.equal(await codeOf(shows('0000-0000')), 'no_backup');
  const replaced = await recovery.make();
  const { id, code } = await recovery.make();
  assert.deepEqual([(await recovery.look()).standing, await second.keys.asking.ways()], ['made', ['recovery_code']]);
  await recovery.kept(id);
  assert.equal(await codeOf(shows(replaced.code)), 'wrong_secret');
  assert.equal(await codeOf(shows(code.slice(0, -1))), 'code_length');
  // One in 4,096 of such has the right checksum.
  const mistyped = ['7', '8', '9'].filter((digit) => digit !== code[0]).map((digit) => code.replace(/^./, digit));
  const said = [];
  for (const text of mistyped) said.push(await codeOf(shows(text)));
  assert.ok(said.includes('code_mistyped'), said.join());
  assert.equal(second.keys.status, 'unvouched');
  await shows(` ${code.toLowerCase()} `);
  await agree([first, second], room);
  const third = await secondOf(on, first);
  await vouch(second, third);
  await agree([first, second, third], room);
});

test('a code that was shown and not kept leaves the one before it in force', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const { recovery } = await first.ready();
  const { id, code } = await recovery.make();
  await recovery.kept(id);
  for (let count = 0; count < 20; count += 1) await recovery.make();
  const second = await secondOf(on, first);
  await second.keys.asking.recover({ kind: 'recovery_code', text: code });
  await agree([first, second], room);
});

/**
 * From now on the server shows this client another chain of a user, with what `made` gives after the newest record, in a log that has it. `by`: who is
 * not lied to.
 */
async function lies(client, user, by, made) {
  const { records } = await by.api.call('GET', `e2ee/users/${user}/keys`);
  const bytes = records.map(({ record }) => new Uint8Array(Buffer.from(record, 'base64url')));
  const { records: more } = await made(bytes.at(-1));
  const log = await FalseLog.of(by, on.server, { more });
  const shown = [...records, ...more.map((record, at) => ({ record: Buffer.from(record).toString('base64url'), leaf: log.end + at }))];
  log.show(client, new Map([[user, shown]]));
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    // What follows from the lie it takes, and tells nobody.
    if (init.method === 'POST' && url.pathname.endsWith('/commits')) return Response.json({}, { status: 201 });
    if (url.pathname.endsWith('/key-packages')) return Response.json({ key_packages: 50, last_resort: true });
    return whole(url, init);
  };
}

test('t3_nothing_is_sent_to_a_room_whose_member_the_server_shows_with_another_identity_before_the_person_accepts_it', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const other = await guest([room]);
  await agree([first, other], room);
  const hint = () => other.socket.dispatchEvent(new CustomEvent('message', { detail: { type: 'e2ee_keys', user: first.user } }));
  const { people } = other.keys.account;
  const { digits, words, identity } = await people.safetyNumber(first.user);
  const shownToHer = await first.keys.account.people.safetyNumber(other.user);
  assert.deepEqual([shownToHer.digits, shownToHer.words], [digits, words], 'both see the same number and the same words');
  await other.keys.account.verify(first.user, identity, 'her name');
  assert.deepEqual(people.markOf(first.user), { verified: 'yes', name: 'her name' });
  hint();
  assert.equal(await read(first, room, await write(other, room, 'as ever')), 'as ever', 'without the change it goes');

  const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const deviceKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey));
  await lies(other, first.user, first, (newest) => certify(first.user, deviceKey, newest));
  const noticed = new Promise((resolve) => other.keys.addEventListener('person', ({ detail }) => detail.user === first.user && resolve(), { once: true }));
  hint();
  await noticed;
  assert.equal(other.keys.account.trustIn(first.user), 'changed');
  assert.equal(people.markOf(first.user).verified, 'lost');
  assert.deepEqual(await other.keys.account.changedIn(room.id), [first.user]);
  assert.equal(await codeOf(write(other, room, 'for whom?')), 'identity_changed');
  const shown = await people.safetyNumber(first.user);
  assert.ok(shown.digits !== digits && shown.words.join() !== words.join(), 'whoever compares sees it');
  assert.equal(await codeOf(write(other, room, 'for whom?')), 'identity_changed', 'looking at the number is not accepting it');
  await other.keys.account.accept(first.user, shown.identity);
  assert.deepEqual([other.keys.account.trustIn(first.user), people.markOf(first.user).verified], ['trusted', 'no'], 'accepted, and not compared');
  assert.equal(await codeOf(write(other, room, 'accepted')), null);
});

test('t16_a_device_that_is_revoked_while_it_is_in_a_call_has_no_keys_of_it_any_more_and_the_others_have', async () => {
  const { client: first, rooms: [room] } = await owner(on);
  const other = await guest([room]);
  const third = await guest([room]);
  const second = await secondOf(on, first);
  await vouch(first, second);
  await agree([first, second, other, third], room);
  const [theirs, thirds, seconds] = [await Stay.of(other, room), await Stay.of(third, room), await Stay.of(second, room)];
  const keysOf = async (stay, count) => {
    const keys = await stay.keys();
    return keys && Object.keys(keys.of).length === count ? keys : null;
  };
  await other.until('all three to have keys', async () => (await keysOf(theirs, 3)) && (await keysOf(thirds, 3)) && keysOf(seconds, 3));
  const before = await seconds.keys();
  await (await first.ready()).devices.revoke(await idOf(second));
  const after = await other.until('the others to have keys of two', () => keysOf(theirs, 2));
  await other.until('both of them', async () => JSON.stringify(await keysOf(thirds, 2)) === JSON.stringify(after));
  assert.equal(Object.keys(before.of).length, 3, 'the revoked one has what it had');
  for (const [owner, key] of Object.entries(after.of)) assert.notEqual(key, before.of[owner], 'and nothing of what came after');
});

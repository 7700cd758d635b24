// Messages opened by the service worker. Whatever is not exactly what somebody in the room sealed gives no text; each of these has beside it the same,
// honest, which opens.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { KeysError } from '../e2ee/keys/door.js';
import { keepNotices } from '../e2ee/keys/notices.js';
import { uuidOf } from '../e2ee/push/bytes.js';
import { openEnvelope, parseEnvelope } from '../e2ee/push/envelope.js';
import { MAX_ROOMS, NoticeKeep, forgetNotices } from '../e2ee/push/kept.js';
import { openNotice } from '../e2ee/push/open.js';
import { parsePayload } from '../e2ee/push/payload.js';
import { setLanguage } from '../i18n/index.js';
import { anyNotice, noticeOf } from '../views/notice-text.js';
import { makeDevice, makeRoom, pushed, seal } from './push-world.js';

const [ANN, BEN, EVE] = ['a', 'b', 'e'].map((digit) => `0000000${digit}-0000-4000-8000-000000000000`);
const NAMES = { title: 'Boats', people: { [ANN]: 'ann', [BEN]: 'ben' } };
const TEXT = { v: 1, type: 'text', text: 'the boat leaves at seven' };

async function world() {
  const [ann, ben] = [makeDevice(0, ANN), makeDevice(1, BEN)];
  const room = await makeRoom([ann, ben]);
  const keep = await NoticeKeep.open(new IDBFactory());
  await keep.put({ user: ANN, language: 'en' }, room.opening, NAMES);
  /** As the service worker does. */
  const shown = async (text) => {
    const payload = parsePayload(text);
    const opened = payload && (await openNotice(payload, keep));
    return opened ? noticeOf(opened) : anyNotice();
  };
  return { ann, ben, room, keep, shown };
}

const QUOTED = { title: 'Boats', body: 'ben: the boat leaves at seven' };

test('a message is shown with its room, its sender and its text', async () => {
  const { ben, room, shown } = await world();
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT))), QUOTED);
  setLanguage('ru');
  assert.deepEqual(await shown(pushed(room)), { title: 'WebCall', body: 'Новое сообщение' });
  setLanguage('en');
  assert.deepEqual(await shown(pushed(room)), { title: 'WebCall', body: 'New message' });
});

test('a message that the crate sealed opens, and is its sender’s', async () => {
  const line = readFileSync(new URL('../crypto/tests/vectors/vectors.txt', import.meta.url), 'utf8').split('\n').find((each) => each.startsWith('envelope '));
  const bytes = Uint8Array.from(Buffer.from(line.split(' ')[1], 'hex'));
  const secret = new Uint8Array(32).fill(5).map((byte, at) => (at < 8 ? (at === 7 ? 6 : 0) : byte));
  const key = await crypto.subtle.importKey('raw', secret, 'HKDF', false, ['deriveBits']);
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 51)]);
  const publicKey = createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({ type: 'spki', format: 'der' }).subarray(-32);
  const members = [{ leaf: 3, user: ANN, device: new Uint8Array(16).fill(1), deviceKey: new Uint8Array(publicKey) }];
  const opened = await openEnvelope(parseEnvelope(bytes), { room: uuidOf(new Uint8Array(16).fill(9)), epoch: 6, key, members });
  assert.deepEqual([opened.user, opened.kind, new TextDecoder().decode(opened.content)], [ANN, 1, 'héllo']);
});

test('t11_a message of another room, of another epoch, or under another room’s key gives no text', async () => {
  const { ann, ben, room, keep, shown } = await world();
  const other = await makeRoom([ann, ben]);
  const sealed = seal(room, ben, TEXT);
  assert.deepEqual(await shown(pushed(other, sealed)), anyNotice(), 'it says to be of another room');
  await keep.put({ user: ANN, language: 'en' }, { ...other.opening }, NAMES);
  assert.deepEqual(await shown(pushed(other, sealed)), anyNotice());
  assert.deepEqual(await shown(pushed(room, seal({ ...room, secret: other.secret }, ben, TEXT))), anyNotice());
  assert.deepEqual(await shown(pushed(room, seal({ ...room, opening: { ...room.opening, epoch: 7 } }, ben, TEXT))), anyNotice());
  assert.deepEqual(await shown(pushed(room, sealed)), QUOTED);
});

test('t14_no byte of a message can be changed without the text going', async () => {
  const { ben, room, shown } = await world();
  const sealed = seal(room, ben, TEXT);
  for (let at = 0; at < sealed.length; at += at < 100 ? 1 : 13) {
    const flipped = sealed.map((byte, index) => (index === at ? byte ^ 1 : byte));
    assert.deepEqual(await shown(pushed(room, flipped)), anyNotice(), `byte ${at}`);
  }
  for (const length of [0, 1, 97, 98, 113, sealed.length - 1]) assert.deepEqual(await shown(pushed(room, sealed.subarray(0, length))), anyNotice(), `${length} bytes`);
  assert.deepEqual(await shown(pushed(room, new Uint8Array([...sealed, 0]))), anyNotice());
  assert.deepEqual(await shown(pushed(room, sealed)), QUOTED);
});

test('t24_who has the key of the room still writes as nobody else', async () => {
  const { ann, ben, room, shown } = await world();
  const eve = makeDevice(2, EVE);
  for (const [what, forged] of [
    ['Ann signs as Ben', seal(room, ben, TEXT, { spoil: { signer: ann } })],
    ['one who is not in the room', seal(room, eve, TEXT)],
    ['her leaf under Ben’s device', seal(room, { ...ann, device: ben.device }, TEXT)],
    ['a signature over another header', seal(room, ben, TEXT, { spoil: { signedHeader: randomBytes(98) } })],
  ]) {
    assert.deepEqual(await shown(pushed(room, forged)), anyNotice(), what);
  }
  assert.deepEqual(await shown(pushed(room, seal(room, ann, TEXT))), { ...QUOTED, body: `ann: ${TEXT.text}` });
});

test('t13_a key that is not the one committed to opens nothing', async () => {
  const { ben, room, shown } = await world();
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT, { spoil: { commitment: randomBytes(32) } }))), anyNotice());
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT))), QUOTED);
});

test('padding in another form, and a body whose length is not its own, give no text', async () => {
  const { ben, room, shown } = await world();
  for (const spoil of [{ padded: 512 }, { padded: 320 }, { mark: 0x40 }, { mark: 0 }, { contentLength: 3 }]) assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT, { spoil }))), anyNotice(), JSON.stringify(spoil));
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT))), QUOTED);
});

test('what is no text, of nobody known, or too long is not quoted as it is', async () => {
  const { ben, room, keep, shown } = await world();
  const said = async (content, options) => (await shown(pushed(room, seal(room, ben, content, options)))).body;
  assert.equal(await said({ v: 1, type: 'reaction', to: ANN, emoji: '👍', on: true }), anyNotice().body);
  assert.equal(await said('no body at all'), anyNotice().body);
  assert.equal(await said(TEXT, { kind: 2 }), anyNotice().body);
  assert.equal(await said({ v: 1, type: 'text', text: '', files: [{ id: ANN, name: 'plan.pdf', type: 'application/pdf', size: 1 }] }), 'ben: plan.pdf');
  assert.equal(await said({ v: 1, type: 'text', text: 'ж'.repeat(250) }), `ben: ${'ж'.repeat(200)}…`);
  await keep.put({ user: ANN, language: 'en' }, room.opening, { title: null, people: { [BEN]: 'ben' } });
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT))), { title: 'ben', body: TEXT.text }, 'of two');
  await keep.put({ user: ANN, language: 'en' }, room.opening, { title: 'Boats', people: {} });
  assert.deepEqual(await shown(pushed(room, seal(room, ben, TEXT))), anyNotice());
});

test('t29_a push carries the room and the sealed message, and nothing in it can be read', async () => {
  const { ben, room } = await world();
  const readable = (text) => ['boat', 'Boats', 'ben', 'seven'].filter((word) => text.includes(word) || Buffer.from(text, 'base64url').toString('latin1').includes(word));
  const sealed = seal(room, ben, TEXT);
  const text = pushed(room, sealed);
  assert.deepEqual(parsePayload(text), { room: uuidOf(room.id), message: sealed });
  assert.deepEqual(readable(text), []);
  // The same reading finds what is not sealed.
  assert.deepEqual(readable(pushed(room, Buffer.from(JSON.stringify(TEXT)))), ['boat', 'seven']);
});

test('what is no push of this version is none, and one of the greatest length is', async () => {
  const { room } = await world();
  const of = (bytes) => Buffer.from(bytes).toString('base64url');
  for (const bad of ['', 'A', `${pushed(room)}=`, `${pushed(room)} `, 'привет', of([2, ...room.id]), of([1, ...room.id.subarray(1)]), pushed(room, new Uint8Array(2_049)), 'A'.repeat(1 << 20)]) assert.equal(parsePayload(bad), null, bad.slice(0, 40));
  assert.equal(parsePayload(pushed(room, new Uint8Array(2_048))).message.length, 2_048);
  assert.deepEqual(parsePayload(pushed(room)), { room: uuidOf(room.id), message: null });
});

const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));

test('what is kept for notices gives out no key and no name, and is gone after log-out', async () => {
  const factory = new IDBFactory();
  const room = await makeRoom([makeDevice(0, ANN)]);
  const keep = await NoticeKeep.open(factory);
  await keep.put({ user: ANN, language: 'ru' }, room.opening, NAMES);
  const database = await done(factory.open('webcall-notices'));
  const [row] = await done(database.transaction('rooms').objectStore('rooms').getAll());
  await assert.rejects(crypto.subtle.exportKey('raw', row.key));
  assert.ok(!`${JSON.stringify(row)}${Buffer.from(row.sealed).toString('latin1')}`.includes('Boats'));
  database.close();
  assert.deepEqual([(await keep.find(room.opening.room)).names, await keep.language()], [NAMES, 'ru']);
  keep.close();
  await forgetNotices(factory, () => null);
  assert.deepEqual(await factory.databases(), []);
  assert.equal(await (await NoticeKeep.open(factory)).find(room.opening.room), null);
});

test('another person at the same browser finds no room of the one before', async () => {
  const { room, keep } = await world();
  const other = await makeRoom([makeDevice(0, EVE)]);
  await keep.put({ user: EVE, language: 'en' }, other.opening, NAMES);
  assert.equal(await keep.find(room.opening.room), null);
  assert.notEqual(await keep.find(other.opening.room), null);
});

test('where no more is kept, a room that is known is still renewed, and a new one takes the place of the one that changed longest ago', async () => {
  const factory = new IDBFactory();
  const keep = await NoticeKeep.open(factory);
  const { opening } = await makeRoom([makeDevice(0, ANN)]);
  const nameOf = (number) => `room ${number}`;
  const put = (number, epoch) => keep.put({ user: ANN, language: 'en' }, { ...opening, room: nameOf(number), epoch }, NAMES);
  const epochOf = async (number) => (await keep.find(nameOf(number)))?.opening.epoch ?? null;
  for (let number = 0; number < MAX_ROOMS; number += 1) await put(number, 1);
  await put(0, 2);
  assert.deepEqual([await epochOf(0), await epochOf(1)], [2, 1]);
  await put(MAX_ROOMS, 1);
  assert.deepEqual([await epochOf(MAX_ROOMS), await epochOf(0), await epochOf(1), await epochOf(2)], [1, 2, null, 1]);
  await put(MAX_ROOMS + 1, 1);
  assert.deepEqual([await epochOf(2), await epochOf(3)], [null, 1]);
});

test('of a room that was left nothing stays', async () => {
  const { ann, room, keep } = await world();
  const left = await makeRoom([ann]);
  await keep.put({ user: ANN, language: 'en' }, left.opening, NAMES);
  await keep.retain(new Set([room.opening.room]));
  assert.deepEqual([await keep.find(left.opening.room), (await keep.find(room.opening.room))?.names], [null, NAMES]);
});

test('the worker of the keys keeps an epoch as a key that stays inside, and drops a room it is not in any more', async () => {
  const factory = new IDBFactory();
  const [ann, room] = [makeDevice(0, ANN), await makeRoom([])];
  const base64 = (bytes) => Buffer.from(bytes).toString('base64');
  const answer = { type: 'notice', epoch: 6, key: base64(room.secret), members: [{ leaf: 0, user: ANN, device: base64(ann.device), device_key: base64(ann.deviceKey) }] };
  const message = { type: 'notices', id: 1, room: room.opening.room, language: 'en', names: NAMES };
  await keepNotices({ noticeKeys: async () => answer }, factory, ANN, message);
  const keep = await NoticeKeep.open(factory);
  const opened = await openNotice(parsePayload(pushed(room, seal(room, ann, TEXT))), keep);
  assert.deepEqual(noticeOf(opened), { title: 'Boats', body: `ann: ${TEXT.text}` });
  await assert.rejects(keepNotices({ noticeKeys: () => Promise.reject(new KeysError('storage')) }, factory, ANN, message), { code: 'storage' });
  assert.notEqual(await keep.find(room.opening.room), null, 'what fails for the moment takes nothing away');
  for (const code of ['not_member', 'not_open']) {
    await keepNotices({ noticeKeys: async () => answer }, factory, ANN, message);
    assert.notEqual(await keep.find(room.opening.room), null);
    await keepNotices({ noticeKeys: () => Promise.reject(new KeysError(code)) }, factory, ANN, message);
    assert.equal(await keep.find(room.opening.room), null, code);
  }
});

// A person's devices as the page keeps them (`web/state/keys`), with a worker and a server of the test: what is asked of whom, in which order,
// and what is done when either refuses. What the keys themselves do is tried with the real worker in `e2e/crypto/devices.spec.mjs`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { toBase64 } from '../e2ee/base64.js';
import { NewDevice } from '../state/keys/new-device.js';
import { OwnDevice } from '../state/keys/own-device.js';
import { OwnDevices } from '../state/keys/own-devices.js';
import { People } from '../state/keys/people.js';
import { certificateOf, devicesIn, readRequest, requestLink } from '../state/keys/records.js';
import { ScriptedDelivery, ScriptedKeys } from './keys-scripted.js';

const USER = '01010101-0101-0101-0101-010101010101';
const filled = (byte, size) => new Uint8Array(size).fill(byte);
const bytes = (...parts) => toBase64(Uint8Array.from(parts.flatMap((part) => [...part])));
const time = (ms) => [0, 0, 0, 0, 0, 0, ms >> 8, ms & 255];
const name = (byte) => toBase64(filled(byte, 16));

const claim = (identity) => bytes([1, 1], filled(1, 16), filled(identity, 32), filled(0, 32), time(1), filled(0, 64));
const vouched = (device, at_ms = device) => bytes([2, 1], filled(1, 16), filled(9, 32), filled(device, 16), filled(device, 32), filled(0, 32), time(at_ms), filled(0, 64));
const revoked = (device) => bytes([3, 1], filled(1, 16), filled(9, 32), filled(device, 16), filled(0, 32), time(1), filled(0, 64));
const requestOf = (device, user = 1) => bytes([1], filled(user, 16), filled(device, 16), filled(device, 32), filled(4, 32), filled(5, 16), filled(6, 64));

/** A log that proves whatever the server shows. */
const logOf = (keys, delivery) => ({
  learn: async (user) => {
    const records = await delivery.chain(user);
    return records.length === 0 ? null : { records, answer: await keys.ask({ op: 'learn', user, records }) };
  },
});

const isCode = (code) => (error) => error.code === code;
const now = () => 7;
const passkeys = { isAvailable: async () => false };

test('the devices that count are those that were vouched for and not revoked, under the newest identity', () => {
  assert.deepEqual(devicesIn([]), []);
  assert.deepEqual(devicesIn([claim(9), vouched(2, 513), vouched(3), revoked(3)]).map(({ id, added_ms }) => [id, added_ms]), [[name(2), 513]]);
  assert.deepEqual(devicesIn([claim(9), vouched(2), claim(8), vouched(4)]).map(({ id }) => id), [name(4)]);
  assert.equal(certificateOf([claim(9), revoked(2)], name(2)), null, 'a revocation vouches for nobody');
  assert.equal(certificateOf([claim(9), vouched(2), revoked(2)], name(2)), vouched(2));
});

test('a request is read from its link, from what is behind the link, and however it was broken into lines; nothing else is one', async () => {
  const link = requestLink(requestOf(2), 'https://example.org');
  const [, bare] = link.split('#device=');
  for (const text of [link, bare, ` ${bare.slice(0, 100)}\n${bare.slice(100)} `]) assert.equal((await readRequest(text)).bytes, requestOf(2));
  const { user, device, code } = await readRequest(link);
  assert.deepEqual([user, device], [USER, name(2)]);
  assert.match(code, /^[0-9A-HJKMNP-TV-Z]{5}(-[0-9A-HJKMNP-TV-Z]{5}){3}$/);
  assert.notEqual((await readRequest(requestLink(requestOf(3), ''))).code, code);
  for (const text of ['', 'no', bare.slice(1), `${bare}A`, `https://example.org/settings#other=${bare}`]) await assert.rejects(readRequest(text), isCode('bad_device_request'), text);
});

test('a device that asks already asks no second time', async () => {
  const asking = { device: name(2), request: requestOf(2), code: 'C' };
  const first = new ScriptedKeys({ who: 'no_device', ask: asking });
  assert.equal((await new NewDevice(USER, { keys: first, delivery: new ScriptedDelivery(), passkeys, now }, async () => {}).request()).code, 'C');
  assert.deepEqual(first.ops(), ['who', 'ask']);
  const again = new ScriptedKeys({ who: asking });
  await new NewDevice(USER, { keys: again, delivery: new ScriptedDelivery(), passkeys, now }, async () => {}).request();
  assert.deepEqual(again.ops(), ['who']);
});

test('a device that asks counts once its chain has a certificate for it, and not by one that the worker refuses', async () => {
  const chain = [claim(9), vouched(1), vouched(2)];
  const asking = { device: name(2), request: requestOf(2), code: 'C' };
  const standings = [];
  for (const [records, certified] of [[chain.slice(0, 2), {}], [chain, 'bad_signature'], [chain, { device: name(2) }]]) {
    let isIn = false;
    const keys = new ScriptedKeys({ who: () => (isIn ? { records: [vouched(2)] } : asking), certified: () => ((isIn = typeof certified !== 'string'), certified) });
    const delivery = new ScriptedDelivery({ chain: records });
    standings.push(await new OwnDevice({ keys, delivery, log: logOf(keys, delivery), exclusively: (_, act) => act() }, USER, now).open());
  }
  assert.deepEqual(standings, ['unvouched', 'unvouched', 'ready']);
});

test('a wrong recovery code changes nothing and can be tried again; the right one is followed by another look', async () => {
  let looks = 0;
  const keys = new ScriptedKeys({ ways: { unlockers: [{ id: 'a', kind: 'recovery_code' }] }, restore: ({ secret }) => (secret.secret === 'right' ? { device: name(2) } : 'wrong_secret') });
  const delivery = new ScriptedDelivery({ chain: [claim(9)], backup: { version: 1, blob: 'b' } });
  const device = new NewDevice(USER, { keys, delivery, passkeys, now }, async () => void (looks += 1));
  const code = (text) => ({ kind: 'recovery_code', text });
  await assert.rejects(device.recover(code('wrong')), isCode('wrong_secret'));
  assert.equal(looks, 0);
  await assert.rejects(device.recover({ kind: 'passphrase', text: 'right' }), isCode('not_there'));
  await device.recover(code('right'));
  assert.equal(looks, 1);
  assert.deepEqual(keys.asked.at(-1), { op: 'restore', user: USER, blob: 'b', secret: { kind: 'recovery_code', secret: 'right' }, records: [claim(9)], now_ms: 7 });
});

/** The devices of a user whose first device is this one. */
function owned(delivery, answers = {}) {
  const keys = new ScriptedKeys({ hand_over: { handover: 'h' }, vouch: { record: vouched(2) }, revoke: { record: revoked(2) }, ...answers });
  return { keys, devices: new OwnDevices(USER, { keys, delivery, log: logOf(keys, delivery), now }, () => name(1)) };
}

test('who vouches makes the record upon the newest chain, and makes it anew when another was faster', async () => {
  const delivery = new ScriptedDelivery({ chain: [claim(9), vouched(1)], overtaken: 2 });
  const { keys, devices } = owned(delivery);
  await devices.vouch(await devices.read(requestLink(requestOf(2), '')));
  assert.deepEqual(keys.ops(), ['learn', 'backup_begin', 'hand_over', 'learn', 'vouch', 'learn', 'vouch', 'learn', 'vouch', 'learn']);
  assert.deepEqual(delivery.published, [vouched(2)]);
  const slow = owned(new ScriptedDelivery({ chain: [claim(9), vouched(1)], overtaken: 99 }));
  await assert.rejects(slow.devices.vouch(await slow.devices.read(requestLink(requestOf(2), ''))), isCode('out_of_order'));
});

test('no record is made that the server could never take', async () => {
  const full = Array.from({ length: 16 }, (_, at) => vouched(at + 10));
  const cases = [[[claim(9), ...full], 'too_many_devices'], [[claim(9), vouched(1), vouched(2), revoked(2)], 'device_reused']];
  for (const [chain, code] of cases) {
    const { keys, devices } = owned(new ScriptedDelivery({ chain }));
    await assert.rejects(devices.vouch(await devices.read(requestLink(requestOf(2), ''))), isCode(code));
    assert.deepEqual(keys.ops(), ['learn']);
  }
  const { devices } = owned(new ScriptedDelivery());
  await assert.rejects(devices.read(requestLink(requestOf(2, 4), '')), isCode('other_user'));
});

test('what was done already, as after a lost answer, is not done twice', async () => {
  const delivery = new ScriptedDelivery({ chain: [claim(9), vouched(1), vouched(2)] });
  const { keys, devices } = owned(delivery);
  await devices.vouch(await devices.read(requestLink(requestOf(2), '')));
  await devices.revoke(name(3));
  assert.deepEqual(keys.ops(), ['learn', 'learn']);
  await devices.revoke(name(2));
  assert.deepEqual(delivery.published, [revoked(2)]);
});

test('this device stands first, then the newest', async () => {
  const { devices } = owned(new ScriptedDelivery({ chain: [claim(9), vouched(1), vouched(2), vouched(3)] }));
  assert.deepEqual((await devices.list()).map(({ id, isThis }) => [id, isThis]), [[name(1), true], [name(3), false], [name(2), false]]);
});

test('whether a device has the identity is found out without anything being made', async () => {
  for (const [code, expected] of [['malformed', true], ['no_identity', false]]) {
    const { devices } = owned(new ScriptedDelivery(), { vouch: code });
    assert.equal(await devices.hasIdentity(), expected);
  }
  const { devices } = owned(new ScriptedDelivery(), { vouch: 'worker' });
  await assert.rejects(devices.hasIdentity(), isCode('worker'));
});

test('whoever is trusted otherwise than before is told of once, and looking at the number accepts nothing', async () => {
  let changed = false;
  const keys = new ScriptedKeys({ learn: () => ({ identity: 'i', changed, verified: 'no', name: null }), safety_number: { digits: '1', words: [], identity: 'i', qr: '' }, accept: () => ((changed = false), {}) });
  const people = new People(keys, logOf(keys, new ScriptedDelivery({ chain: [claim(9)] })));
  const told = [];
  people.addEventListener('trust', ({ detail }) => told.push(people.trustIn(detail.user)));
  await people.know([USER]);
  people.forget(USER);
  await people.know([USER]);
  assert.deepEqual(told, [], 'nothing to be told of: as most people are');
  changed = true;
  people.forget();
  assert.equal(people.trustIn(USER), 'trusted', 'as it was found last, until it is known better');
  await people.know([USER]);
  await people.safetyNumber(USER);
  assert.deepEqual(told, ['changed']);
  await people.accept(USER, 'i');
  await people.know([USER]);
  assert.deepEqual(told, ['changed', 'trusted']);
});

/** Somebody whom this device learned of, and what it says of them from now on. */
async function knownPerson(answer = {}) {
  const said = { identity: 'i', changed: false, verified: 'no', name: null, ...answer };
  const keys = new ScriptedKeys({ learn: () => (typeof said.refusal === 'string' ? said.refusal : said), verify: ({ name }) => (Object.assign(said, { verified: 'yes', name }), {}), check_qr: { identity: 'i' } });
  const people = new People(keys, logOf(keys, new ScriptedDelivery({ chain: [claim(9)] })));
  const told = [];
  people.addEventListener('trust', () => told.push(people.markOf(USER).verified));
  await people.know([USER]);
  const again = async (change) => {
    Object.assign(said, change);
    people.forget(USER);
    await people.know([USER]);
  };
  return { people, keys, told, again };
}

test('who was verified is marked under the name of then, and loses the mark with new keys', async () => {
  const { people, keys, told, again } = await knownPerson();
  assert.equal(people.markOf(USER).verified, 'no');
  await people.verify(USER, 'i', 'ben');
  await people.know([USER]);
  assert.deepEqual(people.markOf(USER), { verified: 'yes', name: 'ben' });
  assert.deepEqual(keys.asked.find(({ op }) => op === 'verify'), { op: 'verify', user: USER, identity: 'i', name: 'ben' });
  await again({ changed: true, verified: 'lost' });
  assert.deepEqual([people.trustIn(USER), people.markOf(USER)], ['changed', { verified: 'lost', name: 'ben' }]);
  assert.deepEqual(told, ['yes', 'lost']);
});

test('nobody is marked as verified while what the server shows of them does not verify', async () => {
  const { people, again } = await knownPerson({ verified: 'yes', name: 'ben' });
  assert.equal(people.markOf(USER).verified, 'yes');
  await again({ refusal: 'out_of_order' });
  assert.deepEqual([people.trustIn(USER), people.markOf(USER).verified], ['refused', 'no']);
  await again({ refusal: undefined });
  assert.equal(people.markOf(USER).verified, 'yes');
});

test('a code that was scanned is given to the worker as it was shown, and nothing else is', async () => {
  const { people, keys } = await knownPerson();
  const bytes = Buffer.from(Uint8Array.from({ length: 97 }, (_, at) => 255 - at));
  assert.equal(await people.checkScanned(USER, `webcall-safety:${bytes.toString('base64url')}`), 'i');
  assert.deepEqual(keys.asked.at(-1), { op: 'check_qr', user: USER, bytes: bytes.toString('base64') });
  const count = keys.asked.length;
  for (const other of ['https://example.org/', 'webcall-safety:', `webcall-safety:${bytes.toString('base64url')}A`, bytes.toString('base64url')]) {
    await assert.rejects(people.checkScanned(USER, other), isCode('no_safety_code'));
  }
  assert.equal(keys.asked.length, count);
});

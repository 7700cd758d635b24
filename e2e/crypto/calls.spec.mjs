// The groups of calls, of several people with the client's own cryptography, against a real server: who is in a call has everybody's keys, and
// who has left has them no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stay, share } from './lib/call.mjs';
import { certify } from './lib/certificates.mjs';
import { PASSWORD } from './lib/client.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage();

test('who is in a call has the keys of all, and new ones when somebody leaves', async () => {
  const { clients, room } = await on.people.inRoom(3);
  await agree(clients, room);
  const [anna, boris, clara] = clients;
  const stays = [await Stay.of(anna, room)];
  const alone = await share(stays);
  stays.push(await Stay.of(boris, room));
  await share(stays);
  stays.push(await Stay.of(clara, room));
  const three = await share(stays);
  assert.ok(three.epoch > alone.epoch);
  const [gone] = stays.splice(1, 1);
  await gone.leave();
  const two = await share(stays);
  for (const [owner, key] of Object.entries(two.of)) assert.notEqual(key, three.of[owner], 'a new epoch has new keys');
  const last = stays[0].epochs.at(-1);
  assert.deepEqual([last.because, last.removed.length], ['removal', 1]);
  // And once more from the start: a new stay has keys of its own.
  const again = await Stay.of(boris, room);
  const back = await share([...stays, again]);
  assert.notEqual(again.joined.participant, gone.joined.participant);
  assert.ok(back.epoch > two.epoch);
});

test('who is not in the call does not come into its group, and who is no member of the room is not in the call', async () => {
  const { clients, room } = await on.people.inRoom(2);
  await agree(clients, room);
  const [anna, boris] = clients;
  const stay = await Stay.of(anna, room);
  const account = await boris.ready();
  const outside = account.stayIn(stay.joined.call, { room: room.id, participant: '00000000000000aa' }, { over: () => {}, epoch: () => {} });
  await assert.rejects(outside.enter(null), { code: 'group_not_found' });
  assert.deepEqual(Object.keys((await share([stay])).of), [stay.joined.participant]);
  const inside = await Stay.of(boris, room);
  await share([stay, inside]);
});

test('ten who come and go within five seconds share their keys soon after the last of them', async () => {
  const { clients, room } = await on.people.inRoom(10);
  await agree(clients, room);
  const [first, ...others] = clients;
  const stays = [await Stay.of(first, room)];
  const came = await Promise.all(others.map((client) => Stay.of(client, room)));
  const leaving = came.splice(0, 3);
  await Promise.all(leaving.map((stay) => stay.leave()));
  const returned = await Promise.all(leaving.slice(0, 2).map(({ client }) => Stay.of(client, room)));
  const last_ms = Date.now();
  const { epoch } = await share([...stays, ...came, ...returned]);
  console.log(`nine in one call share their keys ${Date.now() - last_ms} ms after the last came or left, in epoch ${epoch}`);
});

test('t3 whose identity is replaced during a call has none of its keys from then on, and is let in by nobody who has not accepted it', async () => {
  const { clients, room } = await on.people.inRoom(3);
  await agree(clients, room);
  const [anna, boris, clara] = clients;
  const stays = await Promise.all([anna, boris, clara].map((client) => Stay.of(client, room)));
  const [annas, his, claras] = stays;
  const three = await share(stays);
  assert.ok(three.of[his.joined.participant], 'the control: until then they have his');

  // Whoever has his password, or the server itself, publishes another identity with a device of its own.
  const { records } = await anna.api.call('GET', `e2ee/users/${boris.user}/keys`);
  const key = new Uint8Array(await crypto.subtle.exportKey('raw', (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])).publicKey));
  const newest = new Uint8Array(Buffer.from(records.at(-1).record, 'base64url'));
  const other = await certify(boris.user, key, newest);
  const began_ms = Date.now();
  for (const record of other.records) await boris.api.call('POST', 'e2ee/keys/records', { record: Buffer.from(record).toString('base64url'), password: PASSWORD });
  const two = await share([annas, claras], [], three.epoch + 1);
  console.log(`without him ${Date.now() - began_ms} ms after his identity was replaced`);
  for (const owner of Object.keys(two.of)) assert.notEqual(two.of[owner], three.of[owner]);
  await boris.until('his stay to be over', () => his.ended);
  assert.ok((await his.keys()).epoch < two.epoch, 'he has no key of the new epoch');
  for (const client of [anna, clara]) {
    const account = await client.ready();
    assert.deepEqual(await account.changedIn(room.id), [boris.user]);
    await assert.rejects(account.toSendIn(room.id), { code: 'identity_changed' });
  }
  await assert.rejects(Stay.of(boris, room), 'nor does he come in again');
  assert.deepEqual((await share([annas, claras])).of, two.of);
});

// The groups of calls, of several people with the client's own cryptography, against a real server: who is in a call has everybody's keys, and
// who has left has them no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stay, share } from './lib/call.mjs';
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

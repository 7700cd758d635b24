// The groups of rooms and calls as the page keeps them (`web/state/keys`), of several people with the client's own cryptography, against a real
// server: only pages and browsers are left out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agree, stage } from './lib/people.mjs';

const on = stage();

test('who makes a room makes its group, and all members come into it', async () => {
  const { clients, room } = await on.people.inRoom(3);
  const look = await agree(clients, room);
  assert.equal(look.members.length, 3);
});

test('who comes later is brought in, and who leaves or is removed is taken out, by whoever is there', async () => {
  const { clients, room } = await on.people.inRoom(4);
  const [owner, second, third, late] = clients;
  await owner.api.call('DELETE', `rooms/${room.id}/members/${late.user}`);
  await agree([owner, second, third], room);
  await late.rooms.join(room.link_code);
  await agree(clients, room);
  owner.stop();
  await third.rooms.removeMember(room.id, third.user);
  await agree([second, late], room, [owner, second, late]);
  assert.equal(await (await third.ready()).sync(room.id).then(() => null, ({ code }) => code), 'group_not_found');
  const back = await on.people.reloaded(owner);
  await back.rooms.removeMember(room.id, second.user);
  await agree([back, late], room, [owner, late]);
});

test('whoever is connected brings in who comes and takes out who goes, without being asked', async () => {
  const { clients: [owner], room } = await on.people.inRoom(1);
  await (await owner.ready()).sync(room.id);
  const late = await on.people.stranger();
  await late.start();
  await late.ready();
  await late.rooms.join(room.link_code);
  const inside = () => owner.keys.account.lookOf(room.id).members.map(({ user }) => user);
  await owner.until('the newcomer to be inside', () => inside().includes(late.user));
  await late.rooms.removeMember(room.id, late.user);
  await owner.until('who left to be outside', () => !inside().includes(late.user));
});

test('twelve who open the room at once are all in its group', async () => {
  const { clients, room } = await on.people.inRoom(12);
  const began_ms = Date.now();
  const { epoch } = await agree(clients, room);
  console.log(`twelve in one group after ${Date.now() - began_ms} ms and ${epoch} commits`);
});

/** Begins an epoch in this room, though nobody comes or goes; again for as long as others are faster. @returns how often they were */
async function beginsAnEpoch(client, room) {
  const answers = [];
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    const response = await whole(url, init);
    if (init.method === 'POST' && url.pathname.endsWith('/commits')) answers.push(response.status);
    return response;
  };
  for (; !answers.includes(201); await (await client.ready()).sync(room.id)) {
    await client.worker.ask({ op: 'change', group: { kind: 'room', id: room.id }, add: [], users: [], remove: [] }, 'group');
  }
  client.fetch = whole;
  assert.ok(answers.slice(0, -1).every((status) => status === 409), `${client.username}: ${answers}`);
  return answers.length - 1;
}

test('t18 of twenty who commit at once each has an epoch of their own, and all end in the same', async () => {
  const { clients, room } = await on.people.inRoom(20);
  const before = await agree(clients, room);
  const began_ms = Date.now();
  const lost = await Promise.all(clients.map((client) => beginsAnEpoch(client, room)));
  const after = await agree(clients, room);
  console.log(`twenty took their turns in ${Date.now() - began_ms} ms; ${lost.filter((times) => times > 0).length} of them lost a race, ${lost.reduce((sum, times) => sum + times, 0)} were lost`);
  assert.equal(after.epoch, before.epoch + clients.length);
  assert.ok(lost.some((times) => times > 0), 'they did meet');
});

/** Breaks the connection at the nth request that changes something, before the server has it or before its answer comes. Says whether it did. */
function breakAt(client, nth, when) {
  let left = nth;
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    if (init.method === 'GET' || !url.pathname.includes('/e2ee/')) return whole(url, init);
    left -= 1;
    if (left > 0) return whole(url, init);
    if (left === 0 && when === 'after') await whole(url, init);
    throw new TypeError('gone');
  };
  return () => left <= 0;
}

for (const when of ['before', 'after']) {
  test(`whoever dies ${when} any request is in the room's group after a reload`, async () => {
    let nth = 1;
    for (; ; nth += 1) {
      const { clients: [owner], room } = await on.people.inRoom(1);
      const other = await on.people.stranger();
      const broken = breakAt(other, nth, when);
      await other.start();
      await other.rooms.join(room.link_code);
      const isWhole = await Promise.race([agree([owner, other], room).then(() => true, () => false), other.until('it to break', broken).then(() => false)]);
      if (isWhole) break;
      assert.ok(broken());
      const back = await on.people.reloaded(other);
      await agree([owner, back], room);
    }
    assert.ok(nth > 4, `only ${nth - 1} requests were there to break`);
  });

  test(`a room's group goes on whoever of its members dies ${when} any request`, async () => {
    const { clients: [first, second, ...others], room } = await on.people.inRoom(5);
    await agree([first, second, ...others], room);
    let dying = first;
    let nth = 1;
    for (const leaving of others) {
      const broken = breakAt(dying, nth++, when);
      await second.api.call('DELETE', `rooms/${room.id}/members/${leaving.user}`).catch(() => first.api.call('DELETE', `rooms/${room.id}/members/${leaving.user}`));
      await dying.until('it to break', async () => broken() || (await (await second.ready()).sync(room.id)).members.every(({ user }) => user !== leaving.user));
      dying = await on.people.reloaded(dying);
      await agree([dying, second], room, [dying, second, ...others.slice(others.indexOf(leaving) + 1)]);
    }
  });
}

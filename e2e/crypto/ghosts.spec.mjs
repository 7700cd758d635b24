// Ghosts: devices that a server invents, or says to be somebody else's, with the page's own modules and the client's own cryptography against a real
// server that lies to one client. Nobody brings a ghost in, nothing is sealed for it, and whose keys do not fit is told.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { groupId } from '../../web/state/keys/bytes.js';
import { Published } from './lib/certificates.mjs';
import { Chatter } from './lib/chatter.mjs';
import { FalseLog } from './lib/log.mjs';
import { idOf, secondOf, vouch } from './lib/owners.mjs';
import { agree, stage } from './lib/people.mjs';
import { TheirDevice } from './lib/theirs.mjs';

const on = stage(Chatter);

const url = (bytes) => Buffer.from(bytes).toString('base64url');

/** Somebody new with a room of their own. */
async function owner({ strict = false } = {}) {
  const client = await (await on.people.stranger()).start();
  const room = await client.api.call('POST', 'rooms', { name: 'Stammtisch', encryption: 'mls', strict });
  await client.rooms.load();
  await (await client.ready()).sync(room.id);
  return { client, room };
}

/** Whose people are in a room's group, as this client knows it. */
const insideOf = (client, room) => [...new Set(client.keys.account.lookOf(room.id).members.map(({ user }) => user))];

/** Somebody new, whose device counts. */
async function person() {
  const client = await (await on.people.stranger()).start();
  await client.ready();
  return client;
}

/**
 * What the server says to this client instead: `claimed` gets the key packages that it hands out. Gives all commits that the client has sent since,
 * which are all that brings anybody in.
 */
function meddle(client, claimed) {
  const whole = client.fetch;
  const commits = [];
  client.fetch = async (to, init) => {
    if (/\/e2ee\/groups\/[\w-]+\/commits$/.test(to.pathname) && init.method === 'POST') commits.push(JSON.parse(init.body));
    const response = await whole(to, init);
    if (!to.pathname.endsWith('/e2ee/key-packages/claim') || !response.ok) return response;
    const { key_packages } = await response.json();
    return Response.json({ key_packages: claimed(key_packages) });
  };
  return commits;
}

/** A device of this user that no identity of theirs has signed: its own one has, which the user never had. */
const ghostOf = ({ user }) => TheirDevice.of(user, new Published());

/** In which epoch the server has a room's group. */
const epochOf = async ({ api }, { id }) => (await api.call('GET', `e2ee/groups/${groupId({ kind: 'room', id })}/info`)).epoch;

/** The devices that are in a room's group, as this client finds it. */
const devicesIn = async (client, room) => (await client.keys.account.sync(room.id)).members.map(({ device }) => device).sort();

/** That none of these commits lets the ghost in. */
async function opensNothing(ghost, commits) {
  for (const { welcome } of commits) if (welcome) await assert.rejects(ghost.joins(Buffer.from(welcome, 'base64url')));
}

test('t1 a key package of a device that its user’s identity did not sign is not added, alone or beside an honest one, and the honest one is', async () => {
  const { client: ann, room } = await owner();
  const ben = await person();
  const ghost = await ghostOf(ben);
  const ghostly = { user: ben.user, key_package: url(await ghost.keyPackage()) };
  let shown = () => [ghostly];
  const commits = meddle(ann, (packages) => shown(packages));
  const before = await epochOf(ann, room);
  await ben.rooms.join(room.link_code);
  await ann.keys.account.sync(room.id);
  assert.deepEqual(await devicesIn(ann, room), [await idOf(ann)]);
  assert.deepEqual([commits.length, await epochOf(ann, room)], [0, before], 'nothing went out');

  shown = (packages) => [ghostly, ...packages];
  ann.keys.account.roomChanged(room.id);
  await agree([ann, ben], room);
  assert.deepEqual(await devicesIn(ann, room), [await idOf(ann), await idOf(ben)].sort());
  assert.ok(commits.some(({ welcome }) => welcome), 'somebody was let in');
  await opensNothing(ghost, commits);
  await ann.says(room, 'among us');
  await ben.sees(room, 'among us');
});

for (const isKnown of [false, true]) test(`t1 a key package of another user, ${isKnown ? 'known from another room' : 'who is not known'}, is not added in the place of whom the server says it is of`, async () => {
  const { client: ann, room } = await owner();
  const [ben, eve] = [await person(), await person()];
  // Who knows her hands out what she left for anybody.
  const { client: host, room: elsewhere } = await owner();
  await eve.rooms.join(elsewhere.link_code);
  await agree([host, eve], elsewhere);
  if (isKnown) {
    await ann.rooms.join(elsewhere.link_code);
    await agree([host, eve, ann], elsewhere);
  }
  const { key_packages: [own] } = await host.api.call('POST', 'e2ee/key-packages/claim', { users: [eve.user] });
  let shown = () => [{ ...own, user: ben.user }];
  const commits = meddle(ann, (packages) => shown(packages));
  await ben.rooms.join(room.link_code);
  await ann.keys.account.sync(room.id);
  assert.deepEqual([await devicesIn(ann, room), commits.length], [[await idOf(ann)], 0]);
  shown = (packages) => packages;
  ann.keys.account.roomChanged(room.id);
  await agree([ann, ben], room);
});

/** What this user published, as this client is shown it from now on: `records` behind all that is real. `isLogged`: the log of keys has them, too. */
async function publishes(client, { api, user }, records, isLogged) {
  const { records: real } = await api.call('GET', `e2ee/users/${user}/keys`);
  const log = await FalseLog.of({ api }, on.server, isLogged ? { more: records } : {});
  const [first] = isLogged ? [log.end] : [log.end - records.length];
  const more = records.map((record, at) => ({ record: url(record), leaf: first + at }));
  log.show(client, new Map([[user, [...real, ...more]]]));
  client.keys.account.keysChanged(user);
}

for (const isLogged of [false, true]) {
  test(`t1 a device that is said to be published, and that its user did not sign, is told of and comes into no group, ${isLogged ? 'though it is in the log of keys' : 'nor is it in the log of keys'}`, async () => {
    const { client: ann, room } = await owner();
    const ben = await person();
    await ben.rooms.join(room.link_code);
    await agree([ann, ben], room);
    assert.deepEqual([...(await ann.keys.account.concernsIn(room.id))], [], 'nothing is wrong yet');
    const published = new Published();
    const ghost = await TheirDevice.of(ben.user, published);
    const [[, [, device]]] = published;
    const ghostly = url(await ghost.keyPackage());
    // It is handed out for whoever comes.
    const commits = meddle(ann, (packages) => [...packages, ...packages.map(({ user }) => ({ user, key_package: ghostly }))]);
    const before = await devicesIn(ann, room);
    await publishes(ann, ben, [device], isLogged);
    await ann.until('to be told of it', async () => (await ann.keys.account.concernsIn(room.id)).get(ben.user) === 'refused');
    assert.deepEqual(await devicesIn(ann, room), before);
    const cleo = await person();
    await cleo.rooms.join(room.link_code);
    ann.keys.account.roomChanged(room.id);
    const all = [...before, await idOf(cleo)].sort();
    await ann.until('who is real to be there', async () => JSON.stringify(await devicesIn(ann, room)) === JSON.stringify(all));
    await opensNothing(ghost, commits);
  });
}

test('t1 control: a device that its user did sign is not told of, and comes into the group', async () => {
  const { client: ann, room } = await owner();
  const ben = await person();
  await ben.rooms.join(room.link_code);
  await agree([ann, ben], room);
  const second = await secondOf(on, ben);
  await vouch(ben, second);
  const all = [await idOf(ann), await idOf(ben), await idOf(second)].sort();
  await ann.until('it to be there', async () => JSON.stringify(await devicesIn(ann, room)) === JSON.stringify(all));
  assert.deepEqual([...(await ann.keys.account.concernsIn(room.id))], []);
});

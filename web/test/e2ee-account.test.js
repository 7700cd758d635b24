// What the account of a user's keys makes of what it hears: which rooms and calls it follows, what it tells, and when it sends nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { KeysAccount } from '../state/keys/account.js';
import { groupId } from '../state/keys/bytes.js';
import { quiet, until } from './chat-server.js';

const [ME, OTHER] = ['me', 'other'];
const DEVICE = Buffer.alloc(16, 7).toString('base64');
const [ROOM, AWAY, CALL, OTHER_CALL] = [1, 2, 3, 4].map((number) => `00000000-0000-4000-8000-00000000000${number}`);

/** A device that counts, in the group of `ROOM` with another user, and not let into that of `AWAY`. */
function accountOf() {
  const world = { now: 0, epoch: 4, trust: 'trusted', isSplit: false, left: new Set(), inside: [ME, OTHER], told: [], news: [], contradicts: new Set(), looked: 0, looks: new Map() };
  Object.assign(world, {
    commits: async () => ({ commits: [], epoch: world.epoch }),
    info: async () => ({ epoch: 1, groupInfo: '', tree: '' }),
    create: async () => false,
    pause: () => new Promise(() => {}),
  });
  const membersOf = async (room) => {
    if (world.left.has(room)) throw new ApiError('room_not_found', 404);
    return [ME, OTHER];
  };
  const lookOf = () => ({ type: 'group', epoch: world.epoch, leaf: 0, standing: 'member', strict: true, members: world.inside.map((user, leaf) => ({ leaf, user, device: user, identity: '' })), stale: [], outgoing: null, authenticator: '' });
  const keys = {
    begin: async () => DEVICE,
    close: () => {},
    passMediaKeys: async () => {},
    ask: async ({ op, group }) => {
      if (op === 'unlockers') throw new KeysRefused('no_master_key');
      if (op === 'who') return { records: [] };
      if (op === 'new_devices') return { devices: world.news };
      if (op === 'saw_devices') return void (world.news = []);
      if (op === 'join_external') throw new KeysRefused('uninvited');
      if (op === 'create' && group.kind === 'room') throw new KeysRefused('known_group');
      if (op === 'create') return { ...lookOf(), outgoing: { commit: null } };
      if (op === 'accepted') return lookOf();
      if (op !== 'look') return {};
      world.looked += 1;
      if (world.left.has(group.id)) throw new ApiError('room_not_found', 404);
      if (group.id === AWAY) throw new KeysRefused('not_open');
      return lookOf();
    },
  };
  const delivery = {
    chain: async () => [],
    stock: async () => ({ oneTime: 50, lastResort: true }),
    backup: async () => null,
    inbox: async () => ({ items: [], more: false }),
    commits: () => world.commits(),
    info: () => world.info(),
    create: () => world.create(),
  };
  const log = Object.assign(new EventTarget(), {
    alarms: [],
    learn: async () => null,
    grew: () => {},
    freshen: async () => {},
    concerns: (present) => [...present].some((user) => world.contradicts.has(user)),
    beforeSending: async () => {
      if (world.isSplit) throw new KeysRefused('split_view');
    },
  });
  const know = async (users) => new Map(users.map((user) => [user, user === ME ? 'trusted' : world.trust]));
  const people = Object.assign(new EventTarget(), { forget: () => {}, know, knowAnew: know, accept: async () => (world.trust = 'trusted'), greeted: async () => {} });
  world.log = log;
  const parts = { keys, delivery, log, people, passkeys: null, membersOf, isStrict: () => true, foundStrict: () => {}, made: () => {}, expectedIn: () => [], expect: () => {}, returningTo: () => [], settled: () => {}, isNew: () => false, hasMade: () => false, shownIn: async () => null, invitationsIn: async () => ({ code: 'c', shows: [] }), givenFor: () => null, inside: () => {}, mayMake: () => true, roomsOf: () => [ROOM], ownRooms: async () => [ROOM], exclusively: (_, act) => act(), pause: () => world.pause(), now: () => world.now, random: () => 0 };
  const tell = (what) => (value) => void world.told.push(value === undefined ? what : `${what} ${value}`);
  const account = new KeysAccount(ME, parts, { standing: tell('standing'), room: tell('room'), waiting: tell('waiting'), door: tell('door'), harm: tell('harm'), person: tell('person'), history: tell('history'), archive: tell('archive'), log: tell('log') });
  return { world, account };
}

test('a room is told when its group is in another epoch, and one that this device waits to be let into says so', async () => {
  const { world, account } = accountOf();
  await account.sync(ROOM);
  await account.sync(ROOM);
  assert.deepEqual(world.told, [`room ${ROOM}`]);
  world.epoch = 5;
  assert.equal((await account.sync(ROOM)).epoch, 5);
  assert.equal(account.lookOf(ROOM).epoch, 5);
  assert.deepEqual(world.told.splice(0), [`room ${ROOM}`, `room ${ROOM}`]);
  assert.equal(await account.sync(AWAY), null);
  assert.deepEqual([account.isWaitingIn(AWAY), account.isWaitingIn(ROOM), world.told], [true, false, [`waiting ${AWAY}`]]);
});

test('who waits at the door of a strict room is told once, and no longer once they are in', async () => {
  const { world, account } = accountOf();
  world.inside = [ME];
  await account.sync(ROOM);
  await account.sync(ROOM);
  assert.deepEqual([account.atTheDoorOf(ROOM), world.told.filter((told) => told.startsWith('door'))], [[OTHER], [`door ${ROOM}`]]);
  world.inside = [ME, OTHER];
  await account.sync(ROOM);
  assert.deepEqual([account.atTheDoorOf(ROOM), world.told.filter((told) => told.startsWith('door')).length], [[], 2]);
});

test('before a call a room that was brought up to date just now is not asked for again, and later it is', async () => {
  const { world, account } = accountOf();
  await account.syncedLately(ROOM);
  const { looked } = world;
  world.now = 14_999;
  await account.syncedLately(ROOM);
  assert.equal(world.looked, looked);
  world.now = 15_000;
  await account.syncedLately(ROOM);
  assert.ok(world.looked > looked);
});

test('what a device that counts hears of a room that somebody looked at is followed, and of one that was left nothing is kept', async () => {
  const { world, account } = accountOf();
  await account.sync(ROOM);
  account.up();
  await until(() => world.told.includes('standing ready'), 'its standing');
  world.epoch = 5;
  account.committed(groupId({ kind: 'room', id: ROOM }));
  await until(() => account.lookOf(ROOM)?.epoch === 5, 'the next epoch');
  world.left.add(ROOM);
  account.roomChanged(ROOM);
  await until(() => account.lookOf(ROOM) === null, 'it to be forgotten');
  const { looked } = world;
  account.roomChanged(ROOM);
  assert.equal(world.looked, looked, 'it is none of those that are followed');
});

test('nothing is sent while somebody shows other keys or the log is contradicted, and when the person accepts it is', async () => {
  const { world, account } = accountOf();
  world.trust = 'changed';
  await assert.rejects(account.toSendIn(ROOM), { code: 'identity_changed' });
  assert.deepEqual([await account.changedIn(ROOM), [...(await account.concernsIn(ROOM))]], [[OTHER], [[OTHER, 'changed']]]);
  await account.accept(OTHER, '');
  assert.equal((await account.toSendIn(ROOM)).epoch, 4);
  world.isSplit = true;
  await assert.rejects(account.toSendIn(ROOM), { code: 'split_view' });
});

test('a stay in a call ends once, and the one that has begun since in the same call goes on', async () => {
  const { account } = accountOf();
  const told = { over: () => {}, epoch: () => {} };
  const [first, second] = [account.stayIn(CALL, {}, told), account.stayIn(CALL, {}, told)];
  const ended = [];
  for (const [name, group] of Object.entries({ first, second })) {
    group.end = async (isForgotten) => void ended.push(`${name} ${isForgotten}`);
    group.follow = async () => void ended.push(`${name} follows`);
  }
  await account.leave(CALL, first);
  account.committed(groupId({ kind: 'call', id: CALL }), 1);
  await account.leave(CALL, second);
  account.committed(groupId({ kind: 'call', id: CALL }), 1);
  assert.deepEqual(ended, ['first false', 'second follows', 'second true']);
});

test('an account that closes ends its stays: one that cannot reach the server does not try for ever', async () => {
  const { world, account } = accountOf();
  const stay = account.stayIn(CALL, { room: ROOM, participant: 'p0' }, { over: () => assert.fail('it can go on'), epoch: () => {} });
  world.info = async () => null;
  world.create = async () => true;
  await stay.enter(null);
  world.pause = () => new Promise((resolve) => setImmediate(resolve));
  let asked = 0;
  world.commits = async () => {
    asked += 1;
    throw new TypeError('fetch failed');
  };
  void stay.follow();
  await until(() => asked > 2, 'it to try again');
  account.close();
  await quiet();
  const before = asked;
  await quiet();
  assert.equal(asked, before);
});

test('t4 where somebody contradicts the log who is in a room, its calls end as well, and those of no other', async () => {
  const { world, account } = accountOf();
  await account.sync(ROOM);
  const over = [];
  for (const [call, room] of [[CALL, ROOM], [OTHER_CALL, AWAY]]) account.stayIn(call, { room, participant: call }, { over: () => over.push(room), epoch: () => {} });
  world.contradicts.add('somebody elsewhere');
  world.log.dispatchEvent(new Event('alarm'));
  assert.deepEqual([over, world.told.filter((what) => what === 'log').length], [[], 1], 'told, and nothing else');
  world.contradicts.add(OTHER);
  world.log.dispatchEvent(new Event('alarm'));
  assert.deepEqual(over, [ROOM]);
});

test('a device of the person that came elsewhere is told, until they say that they know it', async () => {
  const { world, account } = accountOf();
  account.up();
  await until(() => world.told.includes('standing ready'), 'its standing');
  assert.deepEqual(account.newDevices, []);
  world.news = ['a device'];
  account.keysChanged(ME);
  await until(() => world.told.includes(`person ${ME}`), 'it to be told');
  assert.deepEqual(account.newDevices, ['a device']);
  await account.sawDevices(['a device']);
  assert.deepEqual(account.newDevices, []);
});

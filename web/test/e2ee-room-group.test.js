// The group of a room, with a worker and a server of the test: what is done when something changes while somebody is asked.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { Group } from '../state/keys/group.js';
import { RoomGroup } from '../state/keys/room-group.js';
import { ME, OTHER, aLook, roomOf } from './room-world.js';

test('who leaves key packages while they are asked for is asked for again, and who has none is not', async () => {
  const claims = [];
  const answers = [[], [{ user: OTHER, keyPackage: 'p' }]];
  const { room } = roomOf({
    claim: async (users) => {
      claims.push(users);
      if (claims.length === 1) room.reachAgain();
      return answers.shift() ?? [];
    },
  });
  assert.deepEqual((await room.sync()).members.map(({ user }) => user), [ME, OTHER]);
  assert.equal(claims.length, 2);

  let asked = 0;
  const alone = roomOf({ claim: async () => ((asked += 1), []) });
  await alone.room.sync();
  await alone.room.sync();
  assert.equal(asked, 1, 'nothing has changed');
  alone.room.reachAgain();
  await alone.room.sync();
  assert.equal(asked, 2);
});

test('a device that was not let in asks again where something changed meanwhile, and else not', async () => {
  for (const [changes, expected] of [[0, 1], [1, 2], [3, 4]]) {
    let tries = 0;
    const { room } = roomOf({
      inside: false,
      info: async () => {
        tries += 1;
        if (tries <= changes) room.reachAgain();
        throw new ApiError('uninvited', 403);
      },
    });
    assert.equal(await room.sync(), null);
    await room.sync();
    assert.equal(tries, expected);
  }
});

test('where nobody counts who is in the group, the server takes a new one in its place, and this device is in that', async () => {
  const uninvited = async () => {
    throw new ApiError('uninvited', 422);
  };
  for (const isDead of [true, false]) {
    const { room } = roomOf({ inside: false, info: uninvited, create: async () => isDead });
    assert.equal((await room.sync()) !== null, isDead);
  }
});

test('who has seen more than the server takes no other commit for their own once there is one of that epoch, however many others went on before', async () => {
  const server = { epoch: 5, commits: [] };
  const keys = {
    ask: async ({ op, epoch }) => {
      if (op === 'began_with') throw new KeysRefused('other_group');
      if (op === 'go_back') return void (server.back = epoch);
      return aLook([ME, OTHER], 7);
    },
  };
  const delivery = { commits: async (_, from) => ({ commits: server.commits.filter((commit) => commit.epoch >= from), epoch: server.epoch }) };
  const know = async (users) => new Map(users.map((user) => [user, 'trusted']));
  const parts = { keys, delivery, people: { know, knowAnew: know }, membersOf: async () => [ME, OTHER], isStrict: () => false, expectedIn: () => [], returningTo: () => [], settled: () => {}, isNew: () => false, shownIn: async () => null, inside: () => {}, pause: async () => {}, exclusively: (_, act) => act() };
  const room = new RoomGroup('room', parts);
  for (const epoch of [5, 6, 7]) {
    if (epoch > 5) server.commits.push({ epoch: epoch - 1, commit: 'of another branch' });
    server.epoch = epoch;
    assert.deepEqual([await room.sync(), room.wrong], [null, 'rolled_back'], `the server is at ${epoch}`);
  }
  await room.goBack();
  assert.equal(server.back, 5, 'to where both were');
});

test('where what is only compared fills the answer of the server, what comes next is asked for', async () => {
  let epoch = 7;
  const asked = [];
  const keys = {
    ask: async ({ op }) => {
      if (op === 'began_with') return {};
      if (op === 'look') return aLook([ME, OTHER], epoch);
      epoch += 1;
      return { change: { type: 'others', added: [], removed: [], joined: null }, group: aLook([ME, OTHER], epoch) };
    },
  };
  const delivery = { commits: async (_, from) => (asked.push(from), { commits: [{ epoch: from, commit: `of ${from}` }], epoch: 9 }) };
  const group = new Group({ kind: 'room', id: 'room' }, keys, delivery);
  assert.equal((await group.current(async () => {}))?.epoch, 9);
  assert.deepEqual(asked, [6, 7, 8]);
});

test('of whom too many packages were claimed is left out, and the others are brought in', async () => {
  const asked = [];
  const { room } = roomOf({
    claim: async (users) => {
      asked.push(users);
      throw new ApiError('rate_limited', 429, 3_600);
    },
  });
  assert.deepEqual((await room.sync()).members.map(({ user }) => user), [ME]);
  assert.deepEqual(asked, [[OTHER]]);
});

test('whoever was not asked for is not added, whatever the server hands out', async () => {
  const strange = [{ user: 'somebody else', keyPackage: 'p' }];
  const { room, asked } = roomOf({ claim: async () => strange });
  await room.sync();
  assert.ok(!asked.includes('change'));
  strange[0].user = OTHER;
  room.reachAgain();
  await room.sync();
  assert.ok(asked.includes('change'));
});

test('commits that lay in the log while this device was away are followed as such, and those that come later are not', async () => {
  const log = [];
  const said = [];
  let epoch = 0;
  const look = () => aLook([ME], epoch);
  const keys = {
    ask: async ({ op, commit, log_epoch }) => {
      if (op === 'look') return look();
      if (op === 'began_with') return {};
      said.push([commit, log_epoch]);
      epoch += 1;
      return { change: { type: 'others', added: [], removed: [], joined: null }, group: look() };
    },
  };
  // Two at once; while the first are followed another one comes.
  const delivery = {
    commits: async (_, from) => {
      const page = { commits: log.slice(from, from + 2).map((commit, at) => ({ epoch: from + at, commit })), epoch: log.length };
      if (log.length === 3) log.push('meanwhile');
      return page;
    },
  };
  const group = new Group({ kind: 'room', id: 'room' }, keys, delivery);
  const learn = async () => {};
  log.push('a', 'b', 'c');
  await group.current(learn);
  assert.deepEqual(said.splice(0), [['a', 3], ['b', 3], ['c', 3], ['meanwhile', 3]]);
  log.push('later');
  await group.current(learn);
  assert.deepEqual(said.splice(0), [['later', null]]);
  group.wasAway();
  log.push('while away');
  await group.current(learn);
  assert.deepEqual(said, [['while away', 6]]);
});

test('a welcome that waits is taken in before this device comes in by itself', async () => {
  for (const [isGood, expected] of [[true, false], [false, true]]) {
    const world = roomOf({ inside: false, welcomed: async () => (isGood && world.enter(), isGood) });
    assert.ok((await world.room.sync()) !== null);
    assert.equal(world.asked.includes('join_external'), expected);
  }
});

test('of a commit with devices that are not known here their users are asked for, who may have left since, and of another all members', async () => {
  for (const [code, strangers, expected] of [['not_vouched', [OTHER], [OTHER]], ['uninvited', [OTHER], []]]) {
    const learned = [];
    let epoch = 0;
    const keys = {
      ask: async ({ op }) => {
        if (op === 'strangers') return { users: strangers };
        if (op === 'look') return aLook([ME], epoch);
        if (learned.length === 0) throw new KeysRefused(code);
        epoch += 1;
        return { change: { type: 'others', added: [], removed: [], joined: null }, group: aLook([ME], epoch) };
      },
    };
    const group = new Group({ kind: 'room', id: 'room' }, keys, { commits: async () => ({ commits: epoch === 0 ? [{ epoch: 0, commit: 'c' }] : [], epoch: 1 }) });
    assert.equal((await group.current(async (users) => void learned.push(users))).epoch, 1);
    assert.deepEqual(learned, [expected]);
  }
});

test('a room whose next commit names somebody who is not known yet is followed on from there another time, and a call is not', async () => {
  for (const [kind, expected] of [['room', false], ['call', true]]) {
    const asked = [];
    const keys = {
      ask: async ({ op }) => {
        asked.push(op);
        if (op === 'process') throw new KeysRefused('not_vouched');
        return op === 'strangers' ? { users: [OTHER] } : aLook([ME], 0);
      },
    };
    const group = new Group({ kind, id: 'one' }, keys, { commits: async () => ({ commits: [{ epoch: 0, commit: 'c' }], epoch: 1 }) });
    const tries = () => asked.filter((op) => op === 'process').length;
    assert.equal(await group.current(async () => {}), null);
    assert.deepEqual([tries(), asked.includes('forget')], [2, expected]);
    if (kind === 'call') continue;
    assert.equal(await group.current(async () => {}), null);
    assert.equal(tries(), 2, 'nothing has changed');
    group.tryAgain();
    await group.current(async () => {});
    assert.equal(tries(), 4);
  }
});

test('t19_of_a_commit_that_nobody_can_follow_it_is_said_whose_it_was_where_that_is_certain_and_the_group_is_come_into_anew', async () => {
  for (const [code, user, expected] of [['bad_commit', OTHER, [OTHER]], ['bad_commit', null, []], ['expired_commit', OTHER, []], ['crashed', OTHER, []]]) {
    const [asked, harmed] = [[], []];
    const keys = {
      ask: async ({ op }) => {
        asked.push(op);
        if (op === 'process') throw new KeysRefused(code);
        return op === 'culprit' ? { user } : aLook([ME], 0);
      },
    };
    const group = new Group({ kind: 'room', id: 'room' }, keys, { commits: async () => ({ commits: [{ epoch: 0, commit: 'c' }], epoch: 1 }) }, () => {}, (who) => harmed.push(who));
    assert.equal(await group.current(async () => {}), null);
    assert.deepEqual([harmed, asked.at(-1)], [expected, 'forget']);
  }
});

test('whoever waits for their turn follows at once what another did, and waits on when nothing new was done', async () => {
  let waits = () => {};
  const waiting = new Promise((resolve) => (waits = resolve));
  const { room, asked } = roomOf({ claim: async () => [], pause: () => (waits(), new Promise(() => {})) });
  const synced = room.sync();
  await waiting;
  const before = asked.length;
  room.committed(0);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(asked.length, before, 'the epoch that it is in');
  room.committed(1);
  await synced;
  assert.ok(asked.length > before);
});

test('t2_that_a_room_is_strict_its_group_says_whatever_the_server_does', async () => {
  for (const saysStrict of [false, true]) {
    const { room, isKnown } = roomOf({ claim: async (users) => users.map((user) => ({ user, keyPackage: 'p' })), saysStrict });
    await room.sync();
    assert.deepEqual([room.atTheDoor, isKnown()], saysStrict ? [[OTHER], true] : [[], false]);
  }
  for (const isStrict of [false, true]) {
    const { room, asked } = roomOf({ inside: false, info: async () => null, create: async () => true, isStrict });
    await room.sync();
    assert.ok(asked.includes(isStrict ? 'create strict' : 'create'), 'and who makes it puts it there');
  }
});

test('t2_a_group_that_does_not_say_that_its_room_is_strict_is_named_as_false_for_as_long_as_nothing_changes', async () => {
  const inside = roomOf({ isStrict: true, saysStrict: false });
  const outside = roomOf({ inside: false, isStrict: true, refusal: 'not_strict' });
  for (const { room, asked } of [inside, outside]) {
    for (let time = 0; time < 2; time += 1) assert.deepEqual([await room.sync(), room.wrong, room.atTheDoor], [null, 'not_strict', []]);
    assert.ok(!asked.includes('change') && !asked.includes('create strict'));
  }
  const honest = roomOf({ isStrict: true });
  await honest.room.sync();
  assert.equal(honest.room.wrong, null, 'the control');
});

test('the group of a strict room is its owner’s to make, and others wait for it', async () => {
  for (const mayMake of [true, false]) {
    let [asked, created] = [0, 0];
    const { room } = roomOf({ inside: false, info: async () => ((asked += 1), null), create: async () => ((created += 1), true), isStrict: true, mayMake });
    assert.equal((await room.sync()) !== null, mayMake);
    await room.sync();
    assert.deepEqual([asked, created], [1, mayMake ? 1 : 0], 'nothing has changed');
    if (mayMake) continue;
    room.reachAgain();
    await room.sync();
    assert.equal(asked, 2);
  }
});

test('t2 in a conversation of a few the person knows of those whom they are shown as this device comes in, and of nobody whom the server names besides', async () => {
  const claim = async (users) => users.map((user) => ({ user, keyPackage: 'p' }));
  const made = roomOf({ inside: false, info: async () => null, create: async () => true, claim, shown: [ME, OTHER], members: async () => [ME, OTHER, 'ghost'] });
  await made.room.sync();
  assert.deepEqual([made.met, made.greeted], [[ME, OTHER], []]);
  const found = roomOf({ inside: false, shown: [ME, OTHER] });
  await found.room.sync();
  assert.deepEqual([found.met, found.greeted], [[ME, OTHER], []], 'whoever is shown later is news');
  const { room: unasked, asked } = roomOf({ inside: false, shown: Promise.reject(new ApiError('busy', 503)) });
  await assert.rejects(unasked.sync(), { code: 'busy' });
  assert.deepEqual(asked, ['look'], 'it is not come into before');
  const room = roomOf({ inside: false });
  await room.room.sync();
  assert.deepEqual(room.met, [], 'who is in a room when one comes is no news');
});

test('what cannot be sent for the moment keeps nobody from following what others did meanwhile', async () => {
  for (const [isOvertaken, expected] of [[true, 6], [false, 'rate_limited']]) {
    let look = aLook([ME], 5, { epoch: 5, commit: 'own', welcome: null, group_info: '' });
    const keys = {
      ask: async ({ op }) => {
        if (op !== 'process') return look;
        look = aLook([ME, OTHER], 6);
        return { change: { type: 'others' }, group: look };
      },
    };
    const commits = async () => (isOvertaken ? { commits: look.epoch === 5 ? [{ epoch: 5, commit: 'theirs' }] : [], epoch: 6 } : { commits: [], epoch: 5 });
    const commit = async () => {
      throw new ApiError('rate_limited', 429, 60);
    };
    const group = new Group({ kind: 'room', id: 'room' }, keys, { commits, commit });
    assert.equal(await group.current(async () => {}).then(({ epoch }) => epoch, ({ code }) => code), expected);
  }
});

test('where the server has a room’s group in an epoch before the one here it is told, nothing is done there before the person decides, and then this device comes in anew', async () => {
  let [look, server] = [aLook([ME], 7), 5];
  const asked = [];
  const keys = {
    ask: async ({ op, epoch, at_least_epoch: least }) => {
      asked.push(op);
      if (op === 'look' && look === null) throw new KeysRefused('not_open');
      if (op === 'go_back') {
        assert.equal(epoch, 5);
        look = null;
      }
      if (op === 'join_external') {
        assert.equal(least, 5);
        look = aLook([ME, OTHER], 5, { epoch: 5, commit: 'c', welcome: null, group_info: '' });
      }
      if (op === 'accepted') [look, server] = [aLook([ME, OTHER], 6), 6];
      return look;
    },
  };
  const delivery = { claim: async () => [], info: async () => ({}), commits: async () => ({ commits: [], epoch: server }), commit: async () => true };
  const know = async (users) => new Map(users.map((user) => [user, 'trusted']));
  const parts = { keys, delivery, people: { know, knowAnew: know }, membersOf: async () => [ME, OTHER], isStrict: () => false, expectedIn: () => [], returningTo: () => [], settled: () => {}, isNew: () => false, shownIn: async () => null, inside: () => {}, givenFor: () => null, welcomed: async () => false, pause: async () => {}, exclusively: (_, act) => act() };
  const room = new RoomGroup('room', parts);
  assert.deepEqual([await room.sync(), room.wrong, room.look], [null, 'rolled_back', null]);
  assert.deepEqual([await room.sync(), asked.includes('change')], [null, false]);
  await room.goBack();
  assert.equal((await room.sync())?.epoch, 6);
  assert.equal(room.wrong, null);
});

test('where another commit led to the epoch in which this device is, it is told as well', async () => {
  for (const [isOurs, expected] of [[true, [7, null]], [false, [undefined, 'rolled_back']]]) {
    const keys = {
      ask: async ({ op, commit }) => {
        if (op !== 'began_with') return aLook([ME, OTHER], 7);
        assert.equal(commit, 'of 6');
        if (!isOurs) throw new KeysRefused('other_group');
        return {};
      },
    };
    const asked = [];
    const delivery = { commits: async (_, from) => (asked.push(from), { commits: from === 6 ? [{ epoch: 6, commit: 'of 6' }] : [], epoch: 7 }) };
    const know = async (users) => new Map(users.map((user) => [user, 'trusted']));
    const parts = { keys, delivery, people: { know, knowAnew: know }, membersOf: async () => [ME, OTHER], isStrict: () => false, expectedIn: () => [], returningTo: () => [], settled: () => {}, isNew: () => false, shownIn: async () => null, inside: () => {}, pause: async () => {}, exclusively: (_, act) => act() };
    const room = new RoomGroup('room', parts);
    assert.deepEqual([(await room.sync())?.epoch, room.wrong], expected);
    await room.sync();
    assert.deepEqual(asked, isOurs ? [6, 7] : [6, 6], 'once it is known, it is not asked for again');
  }
});

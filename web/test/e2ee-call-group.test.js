// The group of a call, for two stays in it after one another, with a worker and a server of the test.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { CallGroup } from '../state/keys/call-group.js';

/** @returns {{ promise: Promise<void>, resolve: () => void }} */
function gate() {
  let resolve = () => {};
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

const TOLD = { over: () => assert.fail('it can go on'), epoch() {} };
const CALL = '00000000-0000-7000-8000-000000000001';
const member = (leaf, participant) => ({ leaf, user: `u${leaf}`, device: `d${leaf}`, identity: '', participant });
const lookOf = (epoch, own, outgoing = null) => ({
  type: 'group',
  epoch,
  leaf: 1,
  standing: outgoing === null ? 'member' : 'joining',
  members: [member(0, 'p0'), member(1, own)],
  stale: [],
  outgoing,
  authenticator: `${epoch}`,
});

/** What the worker keeps and the server takes. The log can be held back. */
function surroundings() {
  const world = { kept: null, pending: null, epoch: 4, passed: [], refusal: null, posts: 0, held: null, log: async () => {} };
  const keys = {
    connect() {},
    passMediaKeys: async (_, because) => {
      if (world.refusal !== null) throw new KeysRefused(world.refusal);
      world.passed.push(because);
    },
    ask: async (request) => {
      if (request.op === 'join_external') return (world.pending = world.kept = lookOf(world.epoch, request.stay.participant, { epoch: world.epoch, commit: 'c', welcome: null, group_info: '' }));
      if (request.op === 'forget') return void (world.kept = world.pending = null);
      if (request.op === 'accepted') {
        if (world.pending === null) throw new KeysRefused('nothing_pending');
        world.kept = lookOf(world.epoch, world.kept.members[1].participant);
        world.pending = null;
      }
      if (world.kept === null) throw new KeysRefused('not_open');
      return world.kept;
    },
  };
  const delivery = {
    info: async () => ({ groupInfo: '', tree: null }),
    // The server takes the same commit twice, as when an answer was lost.
    commit: async () => {
      world.posts += 1;
      world.epoch = world.posts === 1 ? 5 : 6;
      return true;
    },
    commits: async (_, epoch) => {
      await world.log();
      return { commits: [], epoch };
    },
  };
  const parts = {
    keys,
    delivery,
    people: { know: async () => new Map(), knowAnew: async () => new Map() },
    membersOf: async () => [],
    syncRoom: async () => {},
    pause: async () => {},
    random: () => 0,
    before: Promise.resolve(),
  };
  return { world, parts };
}

test('a stay that is over has let go of the group before the next one comes in', async () => {
  const { world, parts } = surroundings();
  const first = new CallGroup(CALL, { room: 'r', participant: 'p1' }, parts, TOLD);
  await first.enter(null);
  await first.follow();
  assert.deepEqual(world.passed, ['start']);

  // The first stay is looking at the log as its person leaves.
  const asked = gate();
  const answer = gate();
  world.log = () => (asked.resolve(), answer.promise);
  void first.follow();
  await asked.promise;
  let isLeft = false;
  const left = first.end(true).then(() => (isLeft = true));
  const second = new CallGroup(CALL, { room: 'r', participant: 'p2' }, { ...parts, before: left }, TOLD);
  const entered = second.enter(null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isLeft, false, 'what is on its way is waited for');
  world.log = async () => {};
  answer.resolve();
  await entered;
  assert.deepEqual([world.passed, world.posts, second.userOf('p2')], [['start', 'start'], 2, 'u1']);
});

test('a stay that waits for its turn is over at once', async () => {
  const { world, parts } = surroundings();
  const waiting = gate();
  const pause = () => (waiting.resolve(), new Promise(() => {}));
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, pause }, TOLD);
  await stay.enter(null);
  stay.present(new Set(['p1']));
  await waiting.promise;
  await stay.end(true);
  assert.deepEqual([world.posts, world.kept], [1, null], 'nobody was taken out, and nothing is kept');
});

test('however often it is asked to follow while the server cannot be reached, it tries again once a pause', async () => {
  const { world, parts } = surroundings();
  const pauses = [];
  const pause = (ms) => new Promise((resolve) => pauses.push({ ms, resolve }));
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, pause }, TOLD);
  await stay.enter(null);
  world.log = async () => {
    throw new TypeError('fetch failed');
  };
  for (let time = 0; time < 5; time += 1) {
    void stay.follow();
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(pauses.length, 1);
  world.log = async () => {};
  pauses[0].resolve();
  await stay.follow();
  assert.equal(pauses.length, 1);
  await stay.end(true);
});

test('a turn that another took goes by at once, and what they did is followed', async () => {
  const { world, parts } = surroundings();
  const [waiting, changes] = [gate(), []];
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, pause: () => (waiting.resolve(), new Promise(() => {})) }, TOLD);
  await stay.enter(null);
  await stay.follow();
  const { ask } = parts.keys;
  parts.keys.ask = async (request) => {
    if (request.op !== 'change') return ask(request);
    changes.push(request.remove);
    return (world.kept = { ...lookOf(world.epoch, 'p1'), members: [member(1, 'p1')] });
  };
  stay.present(new Set(['p1']));
  await waiting.promise;
  world.epoch += 1;
  world.kept = { ...lookOf(world.epoch, 'p1'), members: [member(1, 'p1')] };
  stay.committed(world.epoch);
  await stay.follow();
  assert.deepEqual(changes, [], 'it is done already');

  // Of an epoch that was heard of before, nothing more is heard while one waits.
  world.kept = lookOf(world.epoch, 'p1');
  stay.committed(world.epoch + 1);
  await stay.follow();
  assert.deepEqual(changes, [[0]]);
});

test('the log is asked for when somebody left, or when a commit is told, and for who came only if none is', async () => {
  const { world, parts } = surroundings();
  const pauses = [];
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, pause: () => new Promise((resolve) => pauses.push(resolve)) }, TOLD);
  await stay.enter(null);
  stay.present(new Set(['p0', 'p1']));
  await stay.follow();
  let asked = 0;
  world.log = async () => void (asked += 1);
  stay.present(new Set(['p0', 'p1']));
  stay.committed(world.epoch);
  stay.present(new Set(['p0', 'p1', 'p2']));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([asked, pauses.length], [0, 1], 'nobody left, the commit is known, and who came is waited for');
  pauses.shift()();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, 1, 'no commit of theirs was told');
  stay.present(new Set(['p0', 'p1']));
  stay.present(new Set(['p0', 'p1', 'p2']));
  await new Promise((resolve) => setImmediate(resolve));
  const from = world.kept.epoch;
  const { ask } = parts.keys;
  const group = { ...lookOf(from + 1, 'p1'), members: [...lookOf(from + 1, 'p1').members, member(2, 'p2')] };
  parts.keys.ask = async (request) => (request.op === 'process' ? { change: { type: 'others', removed: [] }, group: (world.kept = group) } : ask(request));
  parts.delivery.commits = async (_, at) => ((asked += 1), { commits: at === from ? [{ epoch: from, commit: 'c' }] : [], epoch: from + 1 });
  stay.committed(from + 1);
  await stay.follow();
  assert.ok(asked > 1 && stay.userOf('p2') !== null);
  const before = asked;
  pauses.shift()();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(asked, before, 'they are inside');
});

test('whoever counts no more is taken out, though no commit came', async () => {
  const { world, parts } = surroundings();
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, parts, TOLD);
  await stay.enter(null);
  stay.present(new Set(['p0', 'p1']));
  await stay.follow();
  const removed = [];
  const ask = parts.keys.ask;
  parts.keys.ask = async (request) => {
    if (request.op === 'change') {
      removed.push(...request.remove);
      world.kept = lookOf(world.epoch, 'p1');
      return world.kept;
    }
    return ask(request);
  };
  world.kept = { ...world.kept, stale: [0] };
  await stay.follow();
  assert.deepEqual(removed, [0]);
});

test('what the server told of the group as it let one in is not asked for again, but once another was faster', async () => {
  const { world, parts } = surroundings();
  const asked = [];
  const { ask } = parts.keys;
  parts.keys.ask = (request) => (request.op === 'join_external' && asked.push(request.group_info), ask(request));
  parts.delivery.info = async () => ({ groupInfo: 'bmV3', tree: null });
  const taken = parts.delivery.commit;
  parts.delivery.commit = async () => asked.length > 1 && taken();
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, parts, TOLD);
  await stay.enter({ epoch: 4, group_info: 'dG9s-A', tree: null });
  assert.deepEqual([asked, world.passed], [['dG9s+A==', 'bmV3'], ['start']]);
});

test('a group with somebody who is not known yet is come into once they were asked for, and one with a stranger is not', async () => {
  for (const isStranger of [false, true]) {
    const { world, parts } = surroundings();
    const { ask } = parts.keys;
    let known = false;
    parts.membersOf = async () => ((known = true), []);
    parts.keys.ask = (request) => {
      if (request.op === 'join_external' && (!known || isStranger)) throw new KeysRefused('not_vouched');
      return ask(request);
    };
    const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, parts, TOLD);
    const entered = stay.enter({ epoch: 4, group_info: '', tree: null });
    if (isStranger) await assert.rejects(entered, { code: 'not_vouched' });
    else await entered;
    assert.deepEqual([known, world.passed], [true, isStranger ? [] : ['start']]);
  }
});

test('whoever is the first of those who stay takes the others out at once, however many before them went', async () => {
  const { parts } = surroundings();
  const waits = [];
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, pause: async (ms) => void waits.push(ms) }, TOLD);
  await stay.enter(null);
  const { ask } = parts.keys;
  parts.keys.ask = async (request) => (request.op === 'change' ? { ...lookOf(5, 'p1'), members: [member(1, 'p1')] } : ask(request));
  stay.present(new Set(['p1']));
  await stay.follow();
  assert.equal(waits[0], 0);
});

test('a stay ends where the person is to see first who is in the room, and not where a commit is to take somebody out', async () => {
  for (const [refusal, isOver] of [['newcomers', true], ['stale_members', false]]) {
    const { world, parts } = surroundings();
    world.refusal = refusal;
    const group = new CallGroup(CALL, { room: 'r', participant: 'p1' }, parts, TOLD);
    const entered = await group.enter(null).then(() => null, ({ code }) => code);
    assert.deepEqual([entered, world.passed], [isOver ? 'newcomers' : null, []]);
  }
});

test('a device that is new in a call costs the others what its user published, and not what everybody in the room did', async () => {
  const { world, parts } = surroundings();
  const [asked, members] = [[], Array.from({ length: 300 }, (_, at) => `u${at}`)];
  const stay = new CallGroup(CALL, { room: 'r', participant: 'p1' }, { ...parts, membersOf: async () => members, people: { ...parts.people, knowAnew: async (users) => (asked.push(...users), new Map()) } }, TOLD);
  await stay.enter(null);
  await stay.follow();
  asked.length = 0;
  const { ask } = parts.keys;
  let tries = 0;
  parts.keys.ask = async (request) => {
    if (request.op === 'strangers') return { users: ['u7'] };
    if (request.op === 'process' && (tries += 1) === 1) throw new KeysRefused('not_vouched');
    if (request.op === 'process') return { change: { type: 'others', removed: [] }, group: (world.kept = lookOf(world.epoch + 1, 'p1')) };
    return ask(request);
  };
  const from = world.kept.epoch;
  parts.delivery.commits = async (_, at) => ({ commits: at === from ? [{ epoch: from, commit: 'c' }] : [], epoch: from + 1 });
  await stay.follow();
  assert.deepEqual([tries, asked], [2, ['u7']]);
});

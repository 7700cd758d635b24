// How the page follows the log of keys, with a worker and a server of the test: what is asked of whom and how often. What is believed, the worker
// decides; it is tried in `web/crypto/src/log/tests.rs`, and with a real server in `e2e/crypto/log.spec.mjs`.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { KeyLog, MAX_ASKED, MAX_FAILURES } from '../state/keys/log.js';

const HOUR_MS = 3_600_000;

/** A head whose root says its size; of another log, `fork`. */
const headOf = (size, fork = '') => ({ size, root: `root of ${size}${fork}` });

/** As the server signs it: only the size counts here. */
function signed(size) {
  const bytes = Buffer.alloc(144);
  bytes.writeBigUInt64BE(BigInt(size), 32);
  return bytes.toString('base64');
}

/** A worker that takes a path for proof if it says from where to where, and a server whose log has a size. */
function world({ size = 5 } = {}) {
  const server = { size, asked: [], fails: null, failsAt: null, withholds: false };
  const fail = () => {
    throw new ApiError('internal', 500);
  };
  const kept = { size: 0, alarms: [], known: new Set() };
  let now_ms = 0;
  const answer = (what, give) => {
    server.asked.push(what);
    if (server.fails !== null) throw server.fails;
    return give();
  };
  const delivery = {
    logHead: async () => answer('head', () => signed(server.size)),
    consistency: async (from, to) => answer(`${from} to ${to}`, () => server.failsAt === from ? fail() : (server.withholds || to > server.size ? null : [`${from} to ${to}`])),
    loggedChain: async (user, of) => answer(`chain of ${user} in ${of}`, () => ({ records: ['r'], leaves: [4], path: of > 4 && !server.withholds ? ['p'] : null })),
  };
  const look = () => ({ type: 'log', head: { size: kept.size, root: '' }, alarms: kept.alarms });
  const raise = (why, user = null) => void (kept.alarms = [...kept.alarms, { why, user, accepted: false }]);
  const ops = {
    log: look,
    take_head: ({ head, from, path }) => {
      const taken = Number(Buffer.from(head, 'base64').readBigUInt64BE(32));
      if (from !== kept.size) throw new KeysRefused('old_proof');
      if (from === 0 || taken === from || path[0] === `${Math.min(from, taken)} to ${Math.max(from, taken)}`) kept.size = Math.max(from, taken);
      else raise('not_consistent');
      return look();
    },
    learn: ({ proof }) => {
      if (proof.size !== kept.size) throw new KeysRefused('old_proof');
      return { type: 'user', identity: 'i', changed: false };
    },
    hear_head: ({ user, head, way }) => {
      const heard = (word) => ({ type: 'head_heard', heard: word });
      const isHere = head.size === kept.size || kept.known.has(head.size);
      if (way === null && !isHere) return heard(head.size > kept.size ? 'ahead' : 'unknown');
      if (head.root === headOf(head.size).root && (isHere || way.path[0] === `${head.size} to ${way.to}`)) {
        kept.known.add(head.size);
        return heard('known');
      }
      raise('split_view', user);
      return heard('split');
    },
    accept_log: () => {
      kept.alarms = [];
      return look();
    },
  };
  const keys = { ask: async (request) => ops[request.op](request) };
  const log = new KeyLog({ keys, delivery, exclusively: (_, act) => act(), now: () => now_ms });
  const say = async (user, head, device = 'd') => {
    log.heard({ user, device, head });
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return { log, server, kept, say, later: (ms) => void (now_ms += ms) };
}

test('people are learned with one request each, and one head for all of them', async () => {
  const { log, server } = world();
  for (const user of ['a', 'b', 'c']) assert.equal((await log.learn(user)).answer.changed, false);
  assert.deepEqual(server.asked, ['head', 'chain of a in 5', 'chain of b in 5', 'chain of c in 5']);
});

test('who published something after the newest head is learned by a newer one', async () => {
  const { log, server } = world({ size: 3 });
  await log.renew();
  server.size = 6;
  server.asked = [];
  assert.deepEqual((await log.learn('a')).records, ['r']);
  assert.deepEqual(server.asked, ['chain of a in 3', 'head', '3 to 6', 'chain of a in 6']);
});

test('t3 without a proof nothing is learned, however often the server is asked', async () => {
  const { log, server } = world();
  server.withholds = true;
  await assert.rejects(log.learn('a'), { code: 'not_logged' });
  server.withholds = false;
  assert.deepEqual((await log.learn('a')).records, ['r'], 'the control');
});

test('a head is taken anew before something is sent when it is old or somebody published something, and not each time', async () => {
  const { log, server, later } = world();
  for (let message = 0; message < 5; message += 1) await log.beforeSending(new Set());
  assert.deepEqual(server.asked, ['head']);
  later(HOUR_MS + 1);
  await log.beforeSending(new Set());
  log.grew();
  await log.beforeSending(new Set());
  assert.deepEqual(server.asked, ['head', 'head', 'head']);
});

test('t4 a log that shrinks keeps everything from being sent until the person goes on, and the alarm is told', async () => {
  const { log, server } = world();
  let told = 0;
  log.addEventListener('alarm', () => (told += 1));
  await log.beforeSending(new Set());
  server.size = 4;
  log.grew();
  await assert.rejects(log.beforeSending(new Set()), { code: 'split_view' });
  assert.deepEqual([log.alarms.map(({ why }) => why), told], [['not_consistent'], 1]);
  server.size = 6;
  await log.accept();
  await log.beforeSending(new Set());
  assert.equal(told, 2);
});

test('a server that does not answer contradicts nothing, and is asked again', async () => {
  const { log, server, say } = world();
  await log.renew();
  for (const failure of [new ApiError('network', 0), new ApiError('internal', 500), new ApiError('rate_limited', 429)]) {
    server.fails = failure;
    await assert.rejects(log.renew());
    await say('ann', headOf(3));
    await say('ann', headOf(9));
    assert.deepEqual(log.alarms, []);
  }
  server.fails = null;
  server.size = 9;
  await say('ben', headOf(5));
  assert.deepEqual([log.alarms, server.asked.at(-1)], [[], '5 to 9'], 'what waited was compared with it');
});

test('heads of the same log are asked about once each, and known ones never', async () => {
  const { log, server, say } = world();
  await log.renew();
  server.asked = [];
  for (let message = 0; message < 5; message += 1) for (const user of ['ann', 'ben']) await say(user, headOf(3));
  await say('cleo', headOf(5));
  await say('cleo', { size: 0, root: 'nothing' });
  assert.deepEqual(server.asked, ['3 to 5']);
});

test('t4 a head of another log is an alarm about whoever sent it, and one of the same log is none', async () => {
  for (const [size, asked] of [[3, '3 to 5'], [5, undefined]]) {
    const { log, server, say } = world();
    await log.renew();
    await say('ann', headOf(size));
    assert.deepEqual(log.alarms, []);
    const other = world();
    await other.log.renew();
    other.server.asked = [];
    await other.say('ann', headOf(size, ' elsewhere'));
    assert.deepEqual([other.log.alarms.map(({ why, user }) => [why, user]), other.server.asked[0]], [[['split_view', 'ann']], asked]);
    await assert.rejects(other.log.beforeSending(new Set(['ann', 'ben'])), { code: 'split_view' });
    await other.log.beforeSending(new Set(['ben']));
    assert.deepEqual([['ann'], ['ben']].map((present) => other.log.concerns(new Set(present))), [true, false]);
    assert.ok(server.asked.length > 0);
  }
});

test('t4 a head beyond all that the server has is an alarm, and one that it has is none', async () => {
  const { log, server, say } = world();
  await log.renew();
  server.size = 7;
  await say('ann', headOf(7));
  assert.deepEqual(log.alarms, []);
  await say('ann', headOf(8));
  assert.deepEqual(log.alarms.map(({ user }) => user), ['ann']);
});

test('a member who invents heads makes the server be asked a few times an hour, and others are compared all the same', async () => {
  const { log, server, say, later } = world({ size: 1_000 });
  await log.renew();
  server.asked = [];
  const invented = () => server.asked.filter((what) => what !== '900 to 1000').length;
  for (let size = 10; size < 60; size += 1) await say('mallory', headOf(size), `device ${size}`);
  assert.equal(invented(), MAX_ASKED);
  await say('ann', headOf(900));
  assert.ok(server.asked.includes('900 to 1000'));
  later(HOUR_MS + 1);
  await say('mallory', headOf(60), 'one more');
  assert.equal(invented(), 2 * MAX_ASKED, 'what waited has its turn');
  assert.deepEqual(log.alarms, []);
});

test('t4 a server that fails at one proof alone is believed to have none after hours, and not before', async () => {
  const { log, server, say, later } = world();
  await log.renew();
  server.failsAt = 3;
  for (let hour = 0; hour < MAX_FAILURES / MAX_ASKED; hour += 1) {
    assert.deepEqual(log.alarms, [], `in hour ${hour}`);
    for (let message = 0; message < 20; message += 1) await say('ann', headOf(3));
    later(HOUR_MS + 1);
  }
  assert.deepEqual(log.alarms.map(({ user }) => user), ['ann']);
  server.failsAt = null;
  await say('ben', headOf(4));
  assert.equal(log.alarms.length, 1, 'what it proves is no alarm');
});

test('t4 behind so many strangers that no more is written down anybody may contradict', async () => {
  const { log, say } = world();
  await log.renew();
  for (let stranger = 1; stranger <= 32; stranger += 1) {
    assert.equal(log.concerns(new Set(['somebody here'])), false);
    await say(`stranger ${stranger}`, headOf(3, ' elsewhere'));
  }
  assert.equal(log.concerns(new Set(['somebody here'])), true);
});

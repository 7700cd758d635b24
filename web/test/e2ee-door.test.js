// The door of the desk, with a desk that only takes notes: what is kept, and when; two pages of one browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Door, KeysError } from '../e2ee/keys/door.js';
import { epochMessage } from '../e2ee/keys/media-keys.js';

const ROOM = { kind: 'room', id: '00000000-0000-7000-8000-0000000000aa' };
const CALL = { kind: 'call', id: '00000000-0000-7000-8000-0000000000bb' };

/** Answers by what `answers` gives for an operation; knows which rooms are open, and which call is in which. */
class NotedDesk {
  constructor(answers = {}) {
    this.answers = answers;
    this.asked = [];
    this.open = new Set();
    this.rooms = new Map();
  }

  handle(text) {
    const request = JSON.parse(text);
    this.asked.push(request.op);
    return JSON.stringify(this.#outcome(request));
  }

  #outcome(request) {
    if (request.op === 'load') this.open.clear();
    const opened = request.op === 'open_state' && /^room\/(.*)/.exec(request.name)?.[1];
    if (opened) this.open.add(opened);
    if (opened && request.sealed === null) this.absent = opened;
    if (request.stay) this.rooms.set(request.group.id, request.stay.room);
    const room = request.group?.kind === 'call' ? this.rooms.get(request.group.id) : (request.group?.id ?? request.room);
    if (room && room === this.absent) return { error: 'not_open', keep: [], needs: null };
    if (room && !this.open.has(room)) return { error: 'not_open', keep: [], needs: `room/${room}` };
    return this.answers[request.op]?.(request) ?? { answer: { type: 'done' }, keep: [] };
  }
}

/** What pages of one browser share. */
class SharedStates {
  constructor() {
    this.states = new Map();
    this.count = 0;
    this.writes = [];
    this.turn = Promise.resolve();
    this.broken = false;
  }

  async stateKey() {
    return new Uint8Array(32);
  }

  async version() {
    return this.count;
  }

  async read(name) {
    return this.states.get(name) ?? null;
  }

  async write(kept) {
    if (this.broken) throw new Error('no room');
    for (const { name, sealed } of kept) sealed === null ? this.states.delete(name) : this.states.set(name, sealed);
    this.writes.push(kept.map(({ name }) => name));
    this.count += 1;
    return this.count;
  }

  alone(act) {
    const mine = this.turn.then(act);
    this.turn = mine.catch(() => {});
    return mine;
  }
}

const doorOf = (desk, storage) => new Door(desk, storage);
const device = () => ({ answer: { type: 'device', device: 'ZGV2aWNl', identity: 'aWQ=', records: [] }, keep: [{ name: 'device', sealed: 'x' }, { name: 'directory', sealed: 'y' }] });
const change = () => ({ answer: { type: 'group' }, keep: [{ name: `room/${ROOM.id}`, sealed: 'z' }] });
const isCode = (code) => (error) => error instanceof KeysError && error.code === code;

async function seated(answers = {}) {
  const storage = new SharedStates();
  const desk = new NotedDesk({ first: device, create: change, change, ...answers });
  const door = doorOf(desk, storage);
  assert.equal(await door.begin(), null);
  await door.ask({ op: 'first', user: 'u', now_ms: 1 });
  return { storage, desk, door };
}

test('what a request changed is kept before its answer is given', async () => {
  const { storage, desk, door } = await seated();
  assert.deepEqual(storage.writes, [['device', 'directory', 'name']]);
  let answered = false;
  let release;
  const write = storage.write.bind(storage);
  storage.write = async (kept) => {
    await new Promise((resolve) => (release = resolve));
    return write(kept);
  };
  desk.open.add(ROOM.id);
  const asking = door.ask({ op: 'change', group: ROOM, add: [], users: [], remove: [] }).then(() => (answered = true));
  while (!release) await new Promise(setImmediate);
  assert.equal(answered, false, 'nothing may be sent yet');
  release();
  await asking;
  assert.equal(storage.states.get(`room/${ROOM.id}`), 'z');
});

test('what could not be kept is not used: the desk reads what is there before the next request', async () => {
  const { storage, desk, door } = await seated();
  storage.states.set(`room/${ROOM.id}`, 'kept');
  storage.broken = true;
  await assert.rejects(door.ask({ op: 'change', group: ROOM, add: [], users: [], remove: [] }), isCode('storage'));
  storage.broken = false;
  desk.asked.length = 0;
  await door.ask({ op: 'look', group: ROOM });
  assert.deepEqual(desk.asked, ['load', 'look', 'open_state', 'look']);
});

test('t19 what the desk breaks down over is said, and a broken one is asked nothing any more', async () => {
  const unreachable = () => {
    throw new WebAssembly.RuntimeError('unreachable');
  };
  const { storage, desk, door } = await seated({ process: unreachable });
  storage.states.set(`room/${ROOM.id}`, 'kept');
  assert.equal(door.isBroken, false);
  await assert.rejects(door.ask({ op: 'process', group: ROOM, commit: 'x', log_epoch: null }), isCode('crashed'));
  assert.equal(door.isBroken, true);
  const asked = desk.asked.length;
  for (const again of [door.ask({ op: 'look', group: ROOM }), door.begin(), door.mediaKeys(CALL)]) await assert.rejects(again, isCode('worker'));
  assert.equal(desk.asked.length, asked);

  const next = doorOf(new NotedDesk({ load: unreachable }), storage);
  await assert.rejects(next.ask({ op: 'look', group: ROOM }), isCode('failed'), 'what is kept says nothing of what was asked');
  assert.equal(next.isBroken, true);
  const last = doorOf(new NotedDesk(), storage);
  assert.deepEqual((await last.ask({ op: 'look', group: ROOM })).type, 'done', 'and holds up nobody else who comes to what is kept');
});

test('a device that asks is taken up by another page, and one that could not be kept is nobody', async () => {
  const storage = new SharedStates();
  const ask = () => ({ answer: { type: 'asking' }, keep: [{ name: 'asking', sealed: 'a' }] });
  const resumed = [];
  const resume = ({ asking }) => (resumed.push(asking), { answer: { type: 'done' }, keep: [] });
  const door = doorOf(new NotedDesk({ ask, resume }), storage);
  storage.broken = true;
  await assert.rejects(door.ask({ op: 'ask', user: 'u' }), isCode('storage'));
  storage.broken = false;
  await door.ask({ op: 'ask', user: 'u' });
  assert.equal(await doorOf(new NotedDesk({ resume }), storage).begin(), null);
  assert.deepEqual(resumed, [null, null, 'a'], 'at the beginning, after what was not kept, and in the other page');
});

test('a group is opened when it is needed, once, and the room of a call as well', async () => {
  const { storage, desk, door } = await seated();
  await assert.rejects(door.ask({ op: 'look', group: { kind: 'room', id: 'another' } }), isCode('not_open'), 'nothing is kept of it');
  storage.states.set(`room/${ROOM.id}`, 'kept');
  desk.asked.length = 0;
  await door.ask({ op: 'create', group: CALL, stay: { room: ROOM.id, participant: '0000000000000001' } });
  assert.deepEqual(desk.asked, ['create', 'open_state', 'create']);
  desk.asked.length = 0;
  await door.ask({ op: 'look', group: ROOM });
  assert.deepEqual(desk.asked, ['look']);
});

test('the room of a call is opened for whatever is asked of the call, after another page has written', async () => {
  const { storage, desk, door } = await seated();
  storage.states.set(`room/${ROOM.id}`, 'kept');
  await door.ask({ op: 'create', group: CALL, stay: { room: ROOM.id, participant: '0000000000000001' } });
  const others = { look: () => door.ask({ op: 'look', group: CALL }), process: () => door.ask({ op: 'process', group: CALL, commit: '' }), media_keys: () => door.mediaKeys(CALL) };
  for (const [op, ask] of Object.entries(others)) {
    await storage.write([]);
    desk.asked.length = 0;
    await ask();
    assert.deepEqual(desk.asked, ['load', op, 'open_state', op]);
  }
});

test('what the desk says it needs is opened, kept or not, and the request made again', async () => {
  const given = new Map();
  const sealed = () => {
    const needs = [`epochs/${ROOM.id}/0`, `sent/${ROOM.id}`].find((name) => !given.has(name));
    return needs ? { error: 'not_open', keep: [], needs } : { answer: { type: 'sealed' }, keep: [] };
  };
  const open_state = ({ name, sealed: state }) => {
    if (!name.startsWith('room/')) given.set(name, state);
    return { answer: { type: 'done' }, keep: [] };
  };
  const { storage, desk, door } = await seated({ seal_message: sealed, open_state });
  storage.states.set(`room/${ROOM.id}`, 'kept').set(`sent/${ROOM.id}`, 'state');
  desk.asked.length = 0;
  await door.ask({ op: 'seal_message', room: ROOM.id, id: 'm', kind: 1, content: '', seen: null, head: null, now_ms: 1 });
  assert.deepEqual([...given], [[`epochs/${ROOM.id}/0`, null], [`sent/${ROOM.id}`, 'state']]);
  assert.deepEqual(desk.asked, ['seal_message', 'open_state', 'seal_message', 'open_state', 'seal_message', 'open_state', 'seal_message']);
});

test('a desk that never has enough is not asked for ever', async () => {
  const { desk, door } = await seated({ waiting: () => ({ error: 'not_open', keep: [], needs: 'sent/x' }) });
  desk.asked.length = 0;
  desk.open.add(ROOM.id);
  await assert.rejects(door.ask({ op: 'waiting', room: ROOM.id }), isCode('not_open'));
  assert.equal(desk.asked.filter((op) => op === 'open_state').length, 8);
});

test('what another page of the browser changed is read before the next request', async () => {
  const { storage, door } = await seated();
  const other = new NotedDesk({ change });
  const second = doorOf(other, storage);
  assert.equal(await second.begin(), 'ZGV2aWNl');
  assert.deepEqual(other.asked, ['load']);
  storage.states.set(`room/${ROOM.id}`, 'kept');
  await door.ask({ op: 'create', group: ROOM, stay: null }).catch(() => {});
  await door.ask({ op: 'change', group: ROOM, add: [], users: [], remove: [] });
  other.asked.length = 0;
  await second.ask({ op: 'change', group: ROOM, add: [], users: [], remove: [] });
  assert.deepEqual(other.asked, ['load', 'change', 'open_state', 'change']);
  other.asked.length = 0;
  await second.ask({ op: 'look', group: ROOM });
  assert.deepEqual(other.asked, ['look'], 'its own changes are not read again');
});

test('requests of two pages never run at the same time', async () => {
  const { storage, door } = await seated();
  const second = doorOf(new NotedDesk(), storage);
  const order = [];
  const read = storage.read.bind(storage);
  storage.read = async (name) => {
    order.push('in');
    await new Promise(setImmediate);
    order.push('out');
    return read(name);
  };
  await Promise.all([door.ask({ op: 'forget', group: CALL }), second.ask({ op: 'forget', group: CALL })]);
  // The second reads three states at once when it catches up; the first had answered before.
  assert.deepEqual(order.slice(0, 2), ['in', 'out']);
});

test('what the desk refuses is passed on by its code, and nothing is kept', async () => {
  const { storage, door } = await seated({ hear: () => ({ error: 'bad_message', keep: [] }) });
  const before = storage.writes.length;
  await assert.rejects(door.ask({ op: 'hear', group: CALL, message: '' }), isCode('bad_message'));
  assert.equal(storage.writes.length, before);
});

test("a call's keys go to the media worker as keys that cannot be exported, one's own apart from the others'", async () => {
  const base = btoa('0123456789abcdef');
  const stay = (leaf, participant) => ({ leaf, user: 'u', participant, session: `s${leaf}`, base });
  const keys = { type: 'media', epoch: 7, leaf: 1, members: [stay(0, '0000000000000001'), stay(1, '0000000000000002')] };
  const message = await epochMessage(keys, { type: 'media', id: 1, call: CALL.id, because: 'removal', removed: [4] });
  assert.deepEqual([...message.call.slice(-2)], [0, 0xbb]);
  assert.deepEqual([message.epoch, message.because, message.removed, message.own.leaf], [7, 'removal', [4], 1]);
  assert.deepEqual(message.members.map(({ leaf, owner, session }) => [leaf, owner, session]), [[0, '0000000000000001', 's0']]);
  for (const { base: key } of [message.own, ...message.members]) assert.deepEqual([key.extractable, key.algorithm.name], [false, 'HKDF']);
  await assert.rejects(epochMessage({ ...keys, leaf: 9 }, { type: 'media', id: 1, call: CALL.id, because: 'join', removed: [] }), TypeError);
});

test('what only the worker may ask is refused to the page, and nothing of it happens', async () => {
  const { desk, door } = await seated();
  desk.asked.length = 0;
  for (const op of ['load', 'resume', 'open_state', 'media_keys', 'notice_keys']) await assert.rejects(door.ask({ op, group: CALL }), isCode('bad_request'));
  assert.deepEqual(desk.asked, []);
  await door.mediaKeys(CALL);
  assert.deepEqual(desk.asked, ['media_keys'], 'the worker itself may');
});

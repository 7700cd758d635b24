// What waits for a device: when a welcome is taken in, tried again, and thrown away.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { Inbox } from '../state/keys/inbox.js';
import { People } from '../state/keys/people.js';

const ROOM = { kind: 'room', id: 'r' };

/**
 * An inbox with this in it. @param refusals what the worker says to welcomes, in turn; then it takes them. `isInside`: the device is in the group
 * already; `hasLeft`: its user is not in the room any more.
 */
function inboxWith({ limited = false, unknown = false, items = [{ id: 'w', group: ROOM, epoch: 1, welcome: 'welcome' }], refusals = [], isInside = false, hasLeft = false, fails = false, isHeld = false } = {}) {
  const did = [];
  const parts = {
    isStrict: () => false,
    people: {
      knowAll: async (users) => {
        if (limited) throw new ApiError('rate_limited', 429, 5);
        did.push(`knows ${users}`);
        return !unknown;
      },
    },
    keys: {
      ask: async ({ op }) => {
        did.push(op);
        if (op === 'strangers') return { users: ['guest'] };
        const code = refusals.shift();
        if (code !== undefined) throw new KeysRefused(code);
        isInside = true;
        return {};
      },
    },
    delivery: {
      inbox: async (_, into) => ({ items: into === undefined ? items.slice(0, 2) : items.filter(({ welcome }) => welcome !== undefined), more: into === undefined && items.length > 2 }),
      taken: async (id) => {
        did.push(`took ${id}`);
        items = items.filter((item) => item.id !== id);
      },
    },
  };
  const entered = async (room) => {
    if (fails) throw new KeysRefused('old_state');
    if (hasLeft || isHeld) return null;
    if (!isInside) await inbox.enter(room);
    return isInside ? {} : null;
  };
  const inbox = new Inbox(parts, () => 'device', entered, () => isHeld);
  return { inbox, did, waiting: () => items.map(({ id }) => id) };
}

test('a welcome is taken in, and thrown away then', async () => {
  const { inbox, did, waiting } = inboxWith();
  await inbox.empty('device');
  assert.deepEqual([did.slice(0, 2), waiting()], [['join', 'took w'], []]);
});

test('a welcome that is no good, and one into a group that this device is in or a room that it has left, is thrown away', async () => {
  for (const [options, expected] of [[{ refusals: ['bad_welcome'] }, ['join', 'took w', 'took w']], [{ isInside: true }, ['took w']], [{ hasLeft: true }, ['took w']]]) {
    const { inbox, did, waiting } = inboxWith(options);
    await inbox.empty('device');
    assert.deepEqual([did, waiting()], [expected, []]);
  }
});

test('whom a welcome names and nobody knows here is asked for, who may have left since, and it is tried again', async () => {
  const { inbox, did, waiting } = inboxWith({ refusals: ['not_vouched'] });
  assert.equal(await inbox.enter('r'), true);
  assert.deepEqual([did, waiting()], [['join', 'strangers', 'knows guest', 'join', 'took w'], []]);
});

test('a welcome that names whom nobody knows yet stays for another time, and what comes after it is taken all the same', async () => {
  const items = ['w', 'm', 'n'].map((id) => ({ id, group: id === 'w' ? ROOM : null, epoch: id === 'w' ? 1 : null, welcome: id === 'w' ? 'welcome' : undefined }));
  const { inbox, waiting } = inboxWith({ items, refusals: Array(6).fill('not_vouched') });
  await inbox.empty('device');
  assert.deepEqual(waiting(), ['w']);
  await inbox.empty('device');
  assert.deepEqual(waiting(), []);
});

test('t22 whom a welcome invents costs nobody else anything: one who is nobody is enough, and what cannot be asked for the moment stops no other room', async () => {
  for (const options of [{ unknown: true }, { limited: true }]) {
    const items = [{ id: 'w', group: ROOM, epoch: 1, welcome: 'welcome' }, { id: 'm', group: null, epoch: null, welcome: null }];
    const { inbox, did, waiting } = inboxWith({ ...options, items, refusals: Array(100).fill('not_vouched') });
    if (options.limited) await assert.rejects(inbox.empty('device'), { status: 429 }, 'it is tried again');
    else await inbox.empty('device');
    assert.deepEqual(waiting(), ['w']);
    assert.equal(did.filter((op) => op === 'join').length, 1);
  }
  let asked = 0;
  const learn = async () => ((asked += 1), null);
  const people = new People({}, { learn });
  assert.equal(await people.knowAll(Array.from({ length: 4_094 }, (_, at) => `invented ${at}`)), false);
  assert.ok(asked <= 6, `${asked}`);
});

test('a welcome into a room about which the person is to decide first stays, and so does one whose people cannot be asked for: nobody comes in by themselves meanwhile', async () => {
  const held = inboxWith({ isHeld: true });
  await held.inbox.empty('device');
  assert.deepEqual([held.did, held.waiting()], [[], ['w']]);
  const limited = inboxWith({ limited: true, refusals: ['not_vouched'] });
  await assert.rejects(limited.inbox.enter('r'), { status: 429 });
  assert.deepEqual(limited.waiting(), ['w']);
});

test('a welcome stays where it is when the worker fails for the moment', async () => {
  const { inbox, waiting } = inboxWith({ refusals: ['storage'] });
  await assert.rejects(inbox.empty('device'), { code: 'storage' });
  assert.deepEqual(waiting(), ['w']);
});

test('a room that cannot be brought up to date keeps no other from it', async () => {
  const { inbox, waiting } = inboxWith({ fails: true, items: [{ id: 'w', group: ROOM, epoch: 1, welcome: 'welcome' }, { id: 'm', group: null, epoch: null, welcome: null }] });
  await inbox.empty('device');
  assert.deepEqual(waiting(), ['w']);
});

test('whatever does not go keeps nobody from coming to an end', async () => {
  const items = ['u', 'v', 'w'].map((id) => ({ id, group: ROOM, epoch: 1, welcome: 'welcome' }));
  const { inbox, waiting } = inboxWith({ items, refusals: Array(100).fill('not_vouched') });
  await inbox.empty('device');
  assert.deepEqual(waiting(), ['u', 'v', 'w']);
});

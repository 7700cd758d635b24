import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { MAX_LEARNS, RoomMessages } from '../state/keys/room-messages.js';
import { ROOM } from './chat-server.js';

/** An envelope of which only the header counts. */
function envelopeOf({ epoch, device }) {
  const header = Buffer.alloc(46);
  header.writeBigUInt64BE(BigInt(epoch), 18);
  header.writeUInt32BE(device, 30);
  return header.toString('base64');
}

/** A device whose group is in an epoch, and that knows some devices. What was asked for is counted. */
function keysOf({ epoch = 1, known = [] } = {}) {
  const world = { epoch, newest: epoch, known: new Set(known), published: new Set(known), followed: 0, learned: 0, first: 1, archived: 1, recalled: 0, otherGroup: new Set(), groups: 1 };
  const ask = async ({ envelope }) => {
    const bytes = Buffer.from(envelope, 'base64');
    const asked = Number(bytes.readBigUInt64BE(18));
    if (asked > world.epoch || asked < world.first) throw new KeysRefused('unknown_epoch');
    if (world.otherGroup.has(asked)) throw new KeysRefused('wrong_key');
    if (!world.known.has(bytes.readUInt32BE(30))) throw new KeysRefused('unknown_sender');
    return { type: 'opened' };
  };
  const lookOf = () => ({ epoch: world.epoch });
  const current = async () => {
    world.followed += 1;
    world.epoch = world.newest;
    return lookOf();
  };
  const learn = async (user) => {
    world.learned += 1;
    world.asked = user;
    world.known = new Set(world.published);
  };
  const recall = async () => {
    world.recalled += 1;
    if (world.groups > 1) world.otherGroup.clear();
    const is = world.archived < world.first;
    world.first = Math.min(world.first, world.archived);
    return is || world.groups > 1;
  };
  const messages = new RoomMessages({ ask }, () => 1, { current, toSend: current, lookOf, renew: current, learn, recall, heard: () => {} });
  const open = async (epoch, device, sender = 'ann') => {
    const opened = await messages.open(ROOM, envelopeOf({ epoch, device }), 'open_message', sender);
    return opened.why ?? opened.type;
  };
  return { world, messages, open };
}

test('devices that nobody has make their sender be asked for a few times, until somebody publishes something', async () => {
  const { world, messages, open } = keysOf({ known: [1] });
  for (let device = 100; device < 200; device += 1) assert.equal(await open(1, device), 'later');
  assert.equal(world.learned, MAX_LEARNS);
  world.published.add(2);
  assert.equal(await open(1, 2), 'later');
  assert.equal(await open(1, 2, 'ben'), 'opened', 'another person has their own');
  assert.equal(world.asked, 'ben');
  world.known.delete(2);
  messages.learnAgain();
  assert.equal(await open(1, 2), 'opened', 'the control');
  assert.equal(world.learned, MAX_LEARNS + 2);
});

test('messages of epochs that never come make the group be followed once in an epoch, and those that came are opened', async () => {
  const { world, messages, open } = keysOf({ known: [1] });
  for (let far = 0; far < 100; far += 1) assert.equal(await open(1_000_000 + far, 1), 'later');
  assert.equal(world.followed, 1);
  world.newest = 2;
  messages.learnAgain();
  assert.equal(await open(2, 1), 'opened', 'the control');
  assert.equal(await open(1_000_000, 1), 'later');
  assert.equal(world.followed, 2);
  // The group moved by another way: then it may have moved further.
  world.epoch = 3;
  world.newest = 4;
  assert.equal(await open(4, 1), 'opened');
  assert.equal(world.followed, 3);
});

test('a message of before this device came is looked for in the archive, and opened once its key is there', async () => {
  const { world, open } = keysOf({ epoch: 9, known: [1] });
  world.first = 5;
  world.archived = 5;
  assert.equal(await open(4, 1), 'before');
  assert.deepEqual([world.recalled, world.followed], [1, 0], 'the group itself says nothing of it');
  world.archived = 3;
  assert.equal(await open(4, 1), 'opened');
  assert.equal(await open(2, 1), 'before');
});

test('who wrote a message that the archive opens, and is not known here, is asked for', async () => {
  const { world, open } = keysOf({ epoch: 9, known: [1] });
  Object.assign(world, { first: 5, archived: 2 });
  world.published.add(2);
  assert.equal(await open(3, 2), 'opened');
  assert.deepEqual([world.recalled, world.learned], [1, 1]);
});

test('a message of another of the room’s groups is looked for in the archive, and refused until its key is there', async () => {
  const { world, open } = keysOf({ epoch: 9, known: [1] });
  world.otherGroup.add(3);
  assert.equal(await open(3, 1), 'refused');
  assert.equal(world.recalled, 1);
  world.groups = 2;
  assert.equal(await open(3, 1), 'opened');
});

test('for a message of an epoch to come the archive is not asked', async () => {
  const { world, open } = keysOf({ epoch: 2, known: [1] });
  world.archived = 0;
  assert.equal(await open(3, 1), 'later');
  assert.equal(world.recalled, 0);
});

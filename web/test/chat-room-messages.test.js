import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { MAX_LEARNS, RoomMessages } from '../state/keys/room-messages.js';
import { ROOM, OTHER } from './chat-server.js';

/** An envelope of which only the header counts. */
function envelopeOf({ epoch, device }) {
  const header = Buffer.alloc(46);
  header.writeBigUInt64BE(BigInt(epoch), 18);
  header.writeUInt32BE(device, 30);
  return header.toString('base64');
}

/** A device whose group is in an epoch, and that knows some devices. What was asked for is counted. */
function keysOf({ epoch = 1, known = [] } = {}) {
  const world = { epoch, newest: epoch, known: new Set(known), published: new Set(known), followed: 0, learned: 0 };
  const ask = async ({ envelope }) => {
    const bytes = Buffer.from(envelope, 'base64');
    if (Number(bytes.readBigUInt64BE(18)) > world.epoch) throw new KeysRefused('unknown_epoch');
    if (!world.known.has(bytes.readUInt32BE(30))) throw new KeysRefused('unknown_sender');
    return { type: 'opened' };
  };
  const lookOf = () => ({ epoch: world.epoch });
  const current = async () => {
    world.followed += 1;
    world.epoch = world.newest;
    return lookOf();
  };
  const learn = async () => {
    world.learned += 1;
    world.known = new Set(world.published);
  };
  const messages = new RoomMessages({ ask }, () => 1, { current, toSend: current, lookOf, renew: current, learn, heard: () => {} });
  const open = async (epoch, device, room = ROOM) => {
    const opened = await messages.open(room, envelopeOf({ epoch, device }), 'open_message');
    return opened.why ?? opened.type;
  };
  return { world, messages, open };
}

test('devices that nobody has make people be asked for a few times, until somebody publishes something', async () => {
  const { world, messages, open } = keysOf({ known: [1] });
  for (let device = 100; device < 200; device += 1) assert.equal(await open(1, device), 'later');
  assert.equal(world.learned, MAX_LEARNS);
  world.published.add(2);
  assert.equal(await open(1, 2), 'later');
  assert.equal(await open(1, 2, OTHER), 'opened', 'another room has its own');
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

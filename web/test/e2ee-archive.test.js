import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { Archive } from '../state/keys/archive.js';
import { roomOfSlot, slotOf } from '../state/keys/slots.js';

const ROOM = '00000000-0000-7000-8000-0000000000aa';
const OTHER = 'ffffffff-ffff-4fff-bfff-ffffffffffff';

/** The server's slots of one user. */
class Shelf {
  slots = new Map();
  asked = [];
  /** Called before a request is answered; may throw. */
  hook = async () => {};

  async #count(what) {
    this.asked.push(what);
    await this.hook(what);
  }

  async backup(slot) {
    await this.#count(`get ${slot}`);
    return this.slots.get(slot) ?? null;
  }

  async keepBackup(slot, version, blob) {
    await this.#count(`put ${slot}`);
    if ((this.slots.get(slot)?.version ?? 0) !== version) return false;
    this.slots.set(slot, { version: version + 1, blob });
    return true;
  }

  async backups() {
    await this.#count('list');
    return [...this.slots].map(([slot, { version }]) => ({ slot, version }));
  }

  async dropBackup(slot, version) {
    await this.#count(`drop ${slot}`);
    if (this.slots.get(slot)?.version === version) this.slots.delete(slot);
  }
}

/** A device: epochs that it has keys of by room and block, and its archive. A segment is the list of its epochs. */
function device(shelf, { epochs = {}, hasKey = true, rooms = [ROOM, OTHER] } = {}) {
  const world = { now: 0, hasKey, epochs: new Map(Object.entries(epochs).map(([name, list]) => [name, new Set(list)])), seen: new Map(), histories: [], changes: 0, refuses: null, pauses: [], random: 0.5, rooms, ownRooms: async () => world.rooms };
  const own = (of) => world.epochs.get(`${of.room}/${of.block}`) ?? new Set();
  const ask = async (request) => {
    if (!world.hasKey) throw new KeysRefused('no_master_key');
    if (request.op === 'unlockers') return {};
    if (request.op === 'seal_segment') return { sealed: own(request.of).size > (world.seen.get(slotOf(request.of)) ?? 0) ? JSON.stringify([...own(request.of)]) : null };
    if (world.refuses !== null) throw new KeysRefused(world.refuses);
    const { of, sealed } = request;
    const [before, there] = [own(of), JSON.parse(sealed)];
    const after = new Set([...before, ...there]);
    world.epochs.set(`${of.room}/${of.block}`, after);
    world.seen.set(slotOf(of), there.length);
    return { fresh: after.size - before.size };
  };
  const waiting = [];
  const pause = (ms) => {
    world.pauses.push(ms);
    return new Promise((resolve) => waiting.push(resolve));
  };
  const parts = { keys: { ask }, delivery: shelf, pause, exclusively: (_, act) => act(), now: () => world.now, random: () => world.random, roomsOf: () => world.rooms, ownRooms: async () => [...(await world.ownRooms())] };
  const archive = new Archive(parts, { history: (room) => world.histories.push(room), changed: () => (world.changes += 1) });
  /** Lets the pause be over, and what follows be done. */
  const passes = () => {
    waiting.splice(0).forEach((resolve) => resolve());
    return settles();
  };
  const settles = async () => {
    for (let turn = 0; turn < 200; turn += 1) await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { ...world, world, archive, passes, settles };
}

test('a slot is called after its room and block, in 1 to 32 plain characters, and its room is found in its name', () => {
  assert.equal(slotOf({ room: ROOM, block: 0 }), 'aaaaaaaaabyabaaaaaaaaaaavi.0');
  for (const room of [ROOM, OTHER]) {
    for (const block of [0, 7, 99_999]) {
      const slot = slotOf({ room, block });
      assert.match(slot, /^[a-z2-7.\d]{1,32}$/);
      assert.equal(roomOfSlot(slot), room);
    }
  }
  assert.notEqual(slotOf({ room: ROOM, block: 1 }), slotOf({ room: OTHER, block: 1 }));
  for (const block of [100_000, -1, 0.5, Number.MAX_SAFE_INTEGER * 2]) assert.equal(slotOf({ room: ROOM, block }), null);
  for (const name of ['unlockers', '', 'a.0', `${'a'.repeat(26)}.01`, `${'a'.repeat(26)}.100000`, `${'a'.repeat(27)}.0`, `${'A'.repeat(26)}.0`]) assert.equal(roomOfSlot(name), null, name);
});

test('epochs that begin within some seconds are one write, and what the archive has is not written again', async () => {
  const shelf = new Shelf();
  const { archive, passes, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1, 2, 3] } });
  for (const epoch of [1, 2, 3]) archive.began(ROOM, epoch);
  await passes();
  const slot = slotOf({ room: ROOM, block: 0 });
  assert.deepEqual(shelf.asked, [`get ${slot}`, `put ${slot}`]);
  archive.began(ROOM, 3);
  await passes();
  assert.equal(shelf.asked.length, 2);
  world.epochs.get(`${ROOM}/0`).add(4);
  archive.began(ROOM, 4);
  await passes();
  assert.deepEqual(JSON.parse(shelf.slots.get(slot).blob), [1, 2, 3, 4]);
});

test('the devices of all members write at times of their own within some seconds, and at once where the page is left', async () => {
  const waits = [];
  for (const random of [0, 0.25, 1]) {
    const { archive, passes, world } = device(new Shelf(), { epochs: { [`${ROOM}/0`]: [1] } });
    world.random = random;
    archive.began(ROOM, 1);
    await passes();
    waits.push(...world.pauses);
  }
  assert.deepEqual(waits, [2_000, 7_000, 22_000]);
  const shelf = new Shelf();
  const { archive, settles, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1] } });
  archive.began(ROOM, 1);
  await settles();
  assert.equal(shelf.slots.size, 0);
  archive.hurry();
  await settles();
  assert.equal(shelf.slots.size, 1);
  // What failed waits for the server's sake.
  world.epochs.get(`${ROOM}/0`).add(2);
  shelf.hook = async () => {
    throw new ApiError('network', 0);
  };
  archive.began(ROOM, 2);
  archive.hurry();
  await settles();
  const asked = shelf.asked.length;
  archive.hurry();
  await settles();
  assert.equal(shelf.asked.length, asked);
});

test('a block that is over is written with the one that begins', async () => {
  const shelf = new Shelf();
  const { archive, passes } = device(shelf, { epochs: { [`${ROOM}/0`]: [1_022, 1_023], [`${ROOM}/1`]: [1_024] } });
  archive.began(ROOM, 1_024);
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [0, 1].map((block) => slotOf({ room: ROOM, block })));
});

test('without a master key nothing is written or asked for, and once it is there everything is', async () => {
  const shelf = new Shelf();
  const { archive, passes, settles, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1], [`${OTHER}/0`]: [1] }, hasKey: false });
  await archive.begin();
  archive.began(ROOM, 1);
  archive.began(OTHER, 1);
  assert.equal(await archive.recall(ROOM, 0), false);
  await passes();
  assert.deepEqual(shelf.asked, []);
  world.hasKey = true;
  assert.deepEqual([archive.isOpen, world.changes], [false, 0]);
  await archive.begin();
  assert.deepEqual([archive.isOpen, world.changes], [true, 1]);
  assert.deepEqual(world.histories, [ROOM, OTHER], 'what was before may open');
  // Without a wait: the person may log out now.
  await settles();
  assert.deepEqual([...shelf.slots.keys()].sort(), [ROOM, OTHER].map((room) => slotOf({ room, block: 0 })).sort());
  await archive.begin();
  assert.equal(world.histories.length, 2, 'told once');
});

test('of two devices that write at once the second takes in what the first wrote, and both have all', async () => {
  const shelf = new Shelf();
  const one = device(shelf, { epochs: { [`${ROOM}/0`]: [1, 2] } });
  const other = device(shelf, { epochs: { [`${ROOM}/0`]: [2, 3] } });
  const slot = slotOf({ room: ROOM, block: 0 });
  shelf.hook = async (what) => {
    if (!what.startsWith('put')) return;
    shelf.hook = async () => {};
    await shelf.keepBackup(slot, 0, JSON.stringify([2, 3]));
    other.world.seen.set(slot, 2);
  };
  one.archive.began(ROOM, 2);
  await one.passes();
  assert.deepEqual(JSON.parse(shelf.slots.get(slot).blob), [1, 2, 3]);
  assert.deepEqual(one.world.histories, [ROOM]);
  other.world.epochs.get(`${ROOM}/0`).add(4);
  other.archive.began(ROOM, 4);
  await other.passes();
  assert.deepEqual(JSON.parse(shelf.slots.get(slot).blob).sort(), [1, 2, 3, 4]);
  assert.deepEqual([...other.world.epochs.get(`${ROOM}/0`)].sort(), [1, 2, 3, 4]);
});

test('others that write all the time are not followed for ever, and it is tried again later', async () => {
  const shelf = new Shelf();
  const { archive, passes, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1] } });
  const honest = shelf.keepBackup;
  shelf.keepBackup = async (slot) => (shelf.asked.push(`put ${slot}`), false);
  archive.began(ROOM, 1);
  await passes();
  assert.equal(shelf.asked.filter((what) => what.startsWith('put')).length, 4);
  shelf.keepBackup = honest;
  await passes();
  assert.equal(shelf.slots.size, 1, `after ${world.pauses.at(-1)} ms`);
});

test('what fails is done later, and keeps nothing else from being done', async () => {
  const shelf = new Shelf();
  const { archive, passes } = device(shelf, { epochs: { [`${ROOM}/0`]: [1], [`${OTHER}/0`]: [1] } });
  let isDown = true;
  shelf.hook = async (what) => {
    if (isDown && what.includes(slotOf({ room: ROOM, block: 0 }))) throw new ApiError('network', 0);
  };
  archive.began(ROOM, 1);
  archive.began(OTHER, 1);
  await passes();
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [slotOf({ room: OTHER, block: 0 })]);
  isDown = false;
  await passes();
  assert.equal(shelf.slots.size, 2);
});

test('what the server will always refuse is not asked again and again, and keeps nothing else waiting', async () => {
  const shelf = new Shelf();
  const { archive, passes, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1], [`${OTHER}/0`]: [1] } });
  shelf.hook = async (what) => {
    if (what.includes(slotOf({ room: ROOM, block: 0 }))) throw new ApiError('malformed', 400);
  };
  archive.began(ROOM, 1);
  archive.began(OTHER, 1);
  await passes();
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [slotOf({ room: OTHER, block: 0 })]);
  assert.equal(world.pauses.length, 1);
});

test('a block is asked for once in some minutes, what comes later is told, and a failure keeps nobody waiting', async () => {
  const shelf = new Shelf();
  const { archive, passes, world } = device(shelf);
  const slot = slotOf({ room: ROOM, block: 0 });
  shelf.slots.set(slot, { version: 1, blob: '[5,6]' });
  assert.equal(await archive.recall(ROOM, 5), true);
  assert.equal(await archive.recall(ROOM, 7), false);
  assert.deepEqual(shelf.asked, [`get ${slot}`]);
  shelf.slots.set(slotOf({ room: ROOM, block: 1 }), { version: 1, blob: '[1024]' });
  shelf.hook = async () => {
    throw new ApiError('network', 0);
  };
  assert.equal(await archive.recall(ROOM, 1_024), false);
  shelf.hook = async () => {};
  world.histories.length = 0;
  await passes();
  assert.deepEqual(world.histories, [ROOM]);
});

test('what another device writes into the archive later is found while the page is open', async () => {
  const shelf = new Shelf();
  const { archive, world } = device(shelf);
  const slot = slotOf({ room: ROOM, block: 0 });
  assert.equal(await archive.recall(ROOM, 5), false, 'there is nothing yet');
  shelf.slots.set(slot, { version: 1, blob: '[5]' });
  world.now = 299_999;
  assert.equal(await archive.recall(ROOM, 5), false);
  assert.equal(shelf.asked.length, 1);
  world.now = 300_000;
  assert.equal(await archive.recall(ROOM, 5), true);
  assert.equal(await archive.recall(ROOM, 6), false);
  assert.deepEqual(shelf.asked, [`get ${slot}`, `get ${slot}`]);
  assert.deepEqual(world.histories, [ROOM]);
});

test('t7 an archive that is refused is kept apart and told, and nothing is written over it', async () => {
  for (const code of ['rolled_back', 'forked', 'tampered', 'wrong_key', 'malformed', 'conflict']) {
    const shelf = new Shelf();
    const { archive, passes, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1] } });
    const slot = slotOf({ room: ROOM, block: 0 });
    shelf.slots.set(slot, { version: 7, blob: '[9]' });
    world.refuses = code;
    assert.equal(await archive.recall(ROOM, 0), false);
    archive.began(ROOM, 1);
    await passes();
    assert.deepEqual([archive.troubleIn(ROOM), archive.troubleIn(OTHER), world.changes], [code, null, 1]);
    assert.deepEqual(shelf.slots.get(slot), { version: 7, blob: '[9]' });
  }
  const shelf = new Shelf();
  const { archive } = device(shelf);
  shelf.slots.set(slotOf({ room: ROOM, block: 0 }), { version: 7, blob: '[9]' });
  assert.equal(await archive.recall(ROOM, 0), true, 'the control');
  assert.equal(archive.troubleIn(ROOM), null);
});

test('an archive that is full is told, and not tried again and again', async () => {
  const shelf = new Shelf();
  const { archive, passes } = device(shelf, { epochs: { [`${ROOM}/0`]: [1] } });
  shelf.hook = async (what) => {
    if (what.startsWith('put')) throw new ApiError('too_many_backups', 409);
  };
  archive.began(ROOM, 1);
  await passes();
  archive.began(ROOM, 2);
  await passes();
  assert.equal(archive.troubleIn(ROOM), 'too_many_backups');
  assert.equal(shelf.asked.filter((what) => what.startsWith('put')).length, 1);
});

test('nothing of a room that was left stays with the server, and everything else does', async () => {
  const shelf = new Shelf();
  const { archive, passes, world } = device(shelf, { epochs: { [`${ROOM}/0`]: [1], [`${OTHER}/0`]: [1] } });
  for (const name of [slotOf({ room: ROOM, block: 3 }), 'unlockers']) shelf.slots.set(name, { version: 2, blob: '[]' });
  archive.began(ROOM, 1);
  archive.began(OTHER, 1);
  await passes();
  assert.equal(shelf.slots.size, 4);
  archive.left(ROOM);
  await passes();
  assert.equal(shelf.slots.size, 4, 'it is in the list of rooms still');
  world.rooms.splice(0, 1);
  archive.left(ROOM);
  await passes();
  assert.deepEqual([...shelf.slots.keys()].sort(), [slotOf({ room: OTHER, block: 0 }), 'unlockers'].sort());
  // While this device was away the other was left.
  const again = device(shelf, { rooms: [ROOM] });
  await again.archive.begin();
  await again.passes();
  assert.deepEqual([...shelf.slots.keys()], ['unlockers']);
});

test('a room that another window has just come into keeps its archive, and while the server does not say which rooms there are nothing is dropped', async () => {
  const shelf = new Shelf();
  const [kept, gone] = [ROOM, OTHER].map((room) => slotOf({ room, block: 0 }));
  for (const slot of [kept, gone]) shelf.slots.set(slot, { version: 1, blob: '[]' });
  // This window knows of neither; the server knows better, once it answers, and after the other window has come in.
  const { archive, passes, world } = device(shelf, { rooms: [] });
  let own = [];
  let isDown = true;
  world.ownRooms = async () => {
    if (isDown) throw new ApiError('network', 0);
    return own;
  };
  shelf.hook = async (what) => {
    if (what === 'list') own = [ROOM];
  };
  await archive.begin();
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [kept, gone]);
  isDown = false;
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [kept]);
  archive.left(ROOM);
  await passes();
  assert.deepEqual([...shelf.slots.keys()], [kept], 'it was told late that this room was left');
});

test('a room that was left and entered again keeps its archive', async () => {
  const shelf = new Shelf();
  const { archive, passes } = device(shelf, { epochs: { [`${ROOM}/0`]: [1] } });
  archive.began(ROOM, 1);
  await passes();
  archive.left(ROOM);
  archive.began(ROOM, 2);
  await passes();
  assert.equal(shelf.slots.size, 1);
});

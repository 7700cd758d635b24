// A server that takes a device out of its room's group and moves it into one of its own making: a ghost, whom it calls a member, made it, with the real
// people's key packages in it, and the server shows it to one device in the place of the real one. The device says that it was in another, as after a
// backup was restored, and does nothing before its person goes on. In a room that is not strict it works then, and the
// person is told who came; in a strict one nothing is said there before they have seen it, and where the ghost's group does not say that it is strict,
// the device does not come into it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromServer, toServer } from '../../web/state/keys/bytes.js';
import { Chatter } from './lib/chatter.mjs';
import { FalseDelivery } from './lib/false-delivery.mjs';
import { agree, greetAll, stage } from './lib/people.mjs';

const on = stage(Chatter);

const insideOf = (client, room) => [...new Set(client.keys.account.lookOf(room.id).members.map(({ user }) => user))].sort();

async function person() {
  const client = await (await on.people.stranger()).start();
  await client.ready();
  client.letsIn = false;
  return client;
}

/** How the room is made, and how the ghost's group. */
const CASES = {
  'tells its person who is there, and goes on (the control)': { strict: false, isFalseStrict: false },
  'tells its person who is there, and says nothing before they have seen it': { strict: true, isFalseStrict: true },
  'does not come into it where it does not say that the room is strict': { strict: true, isFalseStrict: false },
};

for (const [what, { strict, isFalseStrict }] of Object.entries(CASES)) {
  test(`t2 a device that the server moves into a group of a ghost’s making ${what}`, async () => {
    const [ann, ben, ghost] = [await person(), await person(), await person()];
    const room = await ann.rooms.create('Stammtisch', { encryption: 'mls', strict });
    await ann.keys.account.sync(room.id);
    await ben.comesBy(ann, room);
    if (strict) await ann.until('ben at the door', () => ann.keys.account.atTheDoorOf(room.id).includes(ben.user));
    if (strict) ann.keys.account.letIn(room.id, [ben.user]);
    const { epoch } = await agree([ann, ben], room);
    await greetAll([ann, ben], room);
    await ann.says(room, 'before');
    await ben.sees(room, 'before');

    // Its own client waits meanwhile: it would come into the group as well, from outside, and the service of the test has no tree for who follows.
    let isMade = () => {};
    ghost.otherWindow = new Promise((resolve) => (isMade = resolve));
    // The ghost makes its group, with everybody in it, and takes it past the epoch in which the real one is.
    const service = new FalseDelivery(room.id);
    service.show(ghost);
    await ghost.rooms.join(room.link_code);
    const ask = (request) => ghost.worker.ask({ group: { kind: 'room', id: room.id }, ...request }, 'group');
    const commits = async (add, users) => {
      const { outgoing } = await ask({ op: 'change', add, users, remove: [] });
      service.take({ ...outgoing, commit: toServer(outgoing.commit), group_info: toServer(outgoing.group_info) });
      return ask({ op: 'accepted' });
    };
    await ask({ op: 'create', stay: null, strict: isFalseStrict });
    await ask({ op: 'accepted' });
    while (service.epoch <= epoch) await commits([], []);
    const real = [ann.user, ben.user];
    await ghost.keys.account.people.know(real);
    const { key_packages: packages } = await ghost.api.call('POST', 'e2ee/key-packages/claim', { users: real });
    await commits(packages.map(({ key_package }) => fromServer(key_package)), real);
    await ghost.worker.ask({ op: 'greeted', room: room.id, users: real }, 'done');
    await ann.until('the ghost at the door', () => ann.keys.account.atTheDoorOf(room.id).includes(ghost.user));
    await ann.keys.account.sync(room.id);
    isMade();
    service.show(ann);
    ann.keys.account.up();
    await ann.until('the other history to be told', async () => (await ann.keys.account.sync(room.id)) === null && ann.keys.account.wrongIn(room.id) === 'rolled_back');
    await ann.keys.account.goBack(room.id).catch(() => {});
    if (strict && !isFalseStrict) {
      assert.equal(ann.keys.account.wrongIn(room.id), 'not_strict');
      await ann.until('to be out of the real group', async () => (await ann.keys.account.sync(room.id)) === null);
      const id = await (await ann.in(room)).send({ text: 'who is there?' });
      await assert.rejects(ann.keys.account.messages.seal(room.id, crypto.randomUUID(), { content: 'YQ==', seen: null }), { code: 'not_open' });
      assert.equal(ann.chat.conversation(room.id).find(id)?.state, 'waiting');
      return;
    }
    await ann.until('to be in the false group', async () => (await ann.keys.account.sync(room.id), insideOf(ann, room).includes(ghost.user)));
    assert.deepEqual(await ann.keys.account.people.newcomersIn(room.id), [ghost.user], 'told');

    const [text, conversation] = ['who is there?', await ann.in(room)];
    const id = await conversation.send({ text });
    if (strict) {
      await ann.until('it to be held up', () => ann.chat.conversation(room.id).find(id)?.state === 'waiting');
      await assert.rejects(ann.keys.account.messages.seal(room.id, crypto.randomUUID(), { content: 'YQ==', seen: null }), { code: 'newcomers' });
      await ghost.keys.account.sync(room.id);
      assert.ok(!ghost.seen(room).some((message) => message.text === text));
      assert.equal(conversation.find(id)?.state, 'waiting');
      await greetAll([ann], room);
    }
    await ghost.sees(room, text);
  });
}

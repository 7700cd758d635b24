// The worker of the key agreement in real browsers, under the server's own headers: two people come to the same keys, whichever browsers
// they have; what is kept survives a reload and is shared by the pages of one browser.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { during, party } from './lib/party.mjs';

const ANN = '00000000-0000-7000-8000-000000000001';
const BEN = '00000000-0000-7000-8000-000000000002';
const ROOM = { kind: 'room', id: '00000000-0000-7000-8000-0000000000aa' };
const CALL = { kind: 'call', id: '00000000-0000-7000-8000-0000000000bb' };
const OTHER_CALL = { kind: 'call', id: '00000000-0000-7000-8000-0000000000cc' };
const stay = (participant) => ({ room: ROOM.id, participant });

/** Starts the worker in a page for a user; the device that it has already, or null. */
async function begin(page, user) {
  return page.evaluate(async (given) => {
    const base = document.querySelector('link[rel="modulepreload"]').href.match(/^.*\/a\/[0-9a-f]+\//)[0];
    const { Keys, startKeysWorker } = await import(`${base}e2ee/keys/page.js`);
    window.keys = new Keys(startKeysWorker);
    return window.keys.begin(given);
  }, user);
}

const ask = (page, type, request) => page.evaluate((given, kind) => window.keys.ask(given, kind), request, type);
const refusal = (page, request) => page.evaluate((given) => window.keys.ask(given, 'done').then(() => null, ({ code }) => code), request);

/** The keys that the media worker gets: what they make of the same bytes, since they cannot be exported. */
const mediaKeys = (page, call, because) =>
  page.evaluate(
    async (id, why) => {
      if (!window.mediaPort) {
        const { port1, port2 } = new MessageChannel();
        window.keys.connect(id, port2);
        window.mediaPort = port1;
      }
      const epoch = new Promise((resolve) => (window.mediaPort.onmessage = ({ data }) => resolve(data)));
      await window.keys.passMediaKeys(id, why);
      const { type, epoch: number, own, members } = await epoch;
      const print = async ({ leaf, owner, base }) => {
        const derived = await crypto.subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new Uint8Array() }, base, 128);
        const exported = await crypto.subtle.exportKey('raw', base).then(() => true, () => false);
        return { leaf, owner, exported, derived: [...new Uint8Array(derived)].join(' ') };
      };
      return { type, number, because: why, own: await print(own), members: await Promise.all(members.map(print)) };
    },
    call,
    because,
  );

/** Leads the keys to a media worker, as a call does; what that worker says to have. */
const inMediaWorker = (page, call) =>
  page.evaluate(async (id) => {
    const base = document.querySelector('link[rel="modulepreload"]').href.match(/^.*\/a\/[0-9a-f]+\//)[0];
    const { MediaShield, startMediaWorker } = await import(`${base}e2ee/media/page.js`);
    const { port1, port2 } = new MessageChannel();
    const shield = new MediaShield(startMediaWorker(), port1);
    window.keys.connect(id, port2);
    await window.keys.passMediaKeys(id, 'start');
    // Keys come over their own port, so the first report may be older than they are.
    for (;;) {
      const { epoch, refused_messages } = await shield.report();
      if (epoch !== null || refused_messages > 0) return { epoch, refused_messages };
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }, call);

async function pageFor(table, engine, user) {
  const page = await table.stranger(engine);
  await page.goto(`${table.server.url}/login`);
  assert.equal(await begin(page, user), null, 'nothing is kept yet');
  return page;
}

/** Both know each other, and are in one room's group. */
async function inOneRoom(ann, ben) {
  const [anns, bens] = [await ask(ann, 'device', { op: 'first', user: ANN, now_ms: Date.now() }), await ask(ben, 'device', { op: 'first', user: BEN, now_ms: Date.now() })];
  for (const page of [ann, ben]) {
    for (const [user, { records }] of [[ANN, anns], [BEN, bens]]) {
      assert.equal((await ask(page, 'user', { op: 'learn', user, records })).changed, false);
    }
  }
  const { packages } = await ask(ben, 'key_packages', { op: 'key_packages', count: 1, last_resort: false });
  await ask(ann, 'group', { op: 'create', group: ROOM, stay: null });
  await ask(ann, 'group', { op: 'accepted', group: ROOM });
  const { outgoing } = await ask(ann, 'group', { op: 'change', group: ROOM, add: packages, users: [BEN], remove: [] });
  await ask(ann, 'group', { op: 'accepted', group: ROOM });
  await ask(ben, 'group', { op: 'join', welcome: outgoing.welcome });
  return { anns, bens };
}

for (const [annsEngine, bensEngine] of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
  test(`two people come to the same keys of a room and a call (${annsEngine}, ${bensEngine})`, () =>
    during(party(), async (table) => {
      const [ann, ben] = [await pageFor(table, annsEngine, ANN), await pageFor(table, bensEngine, BEN)];
      await inOneRoom(ann, ben);
      const [inAnns, inBens] = [await ask(ann, 'group', { op: 'look', group: ROOM }), await ask(ben, 'group', { op: 'look', group: ROOM })];
      assert.ok(inAnns.authenticator);
      assert.equal(inAnns.authenticator, inBens.authenticator);

      const { outgoing: created } = await ask(ann, 'group', { op: 'create', group: CALL, stay: stay('000000000000000a') });
      await ask(ann, 'group', { op: 'accepted', group: CALL });
      const alone = await mediaKeys(ann, CALL.id, 'start');
      assert.deepEqual([alone.number, alone.members], [0, []]);
      const external = { op: 'join_external', group: CALL, group_info: created.group_info, tree: null, stay: stay('000000000000000b'), at_least_epoch: 0 };
      const { outgoing: joining } = await ask(ben, 'group', external);
      await ask(ben, 'group', { op: 'accepted', group: CALL });
      await ask(ann, 'processed', { op: 'process', group: CALL, commit: joining.commit });

      const [anns, bens] = [await mediaKeys(ann, CALL.id, 'join'), await mediaKeys(ben, CALL.id, 'start')];
      assert.deepEqual([anns.number, bens.number], [1, 1]);
      const [ofBen, ofAnn] = [anns.members[0], bens.members[0]];
      assert.deepEqual([anns.own.derived, bens.own.derived], [ofAnn.derived, ofBen.derived], "one's own key is what the other has of one");
      assert.deepEqual([ofAnn.leaf, ofAnn.owner, ofBen.leaf, ofBen.owner], [0, '000000000000000a', 1, '000000000000000b']);
      assert.ok([anns.own, bens.own, ofAnn, ofBen].every(({ exported }) => !exported));
      assert.notEqual(anns.own.derived, alone.own.derived, 'a new epoch has new keys');
      assert.equal(await inMediaWorker(ben, CALL.id).then(() => null, ({ message }) => /used_elsewhere/.test(message)), true, 'a second media worker would count from the start');
      await ask(ann, 'group', { op: 'create', group: OTHER_CALL, stay: stay('000000000000000c') });
      await ask(ann, 'group', { op: 'accepted', group: OTHER_CALL });
      assert.deepEqual(await inMediaWorker(ann, OTHER_CALL.id), { epoch: 0, refused_messages: 0 });
    }));
}

for (const engine of ['chromium', 'firefox']) {
  test(`what is kept survives a reload, and another page of the browser goes on with it (${engine})`, () =>
    during(party(), async (table) => {
      const [ann, ben] = [await pageFor(table, engine, ANN), await pageFor(table, engine, BEN)];
      const { anns } = await inOneRoom(ann, ben);
      await ann.goto(`${table.server.url}/login`);
      assert.equal(await begin(ann, ANN), anns.device);
      const { outgoing } = await ask(ann, 'group', { op: 'change', group: ROOM, add: [], users: [], remove: [] });
      // The answer of the server never came, and the page is loaded again.
      await ann.goto(`${table.server.url}/login`);
      await begin(ann, ANN);
      assert.deepEqual((await ask(ann, 'group', { op: 'look', group: ROOM })).outgoing, outgoing);
      const settled = await ask(ann, 'processed', { op: 'process', group: ROOM, commit: outgoing.commit });
      assert.deepEqual(settled.change, { type: 'ours' });
      assert.equal((await ask(ben, 'processed', { op: 'process', group: ROOM, commit: outgoing.commit })).change.type, 'others');

      // A second worker, as another page of this browser has: each goes on from where the other is.
      const epochs = await ann.evaluate(async (user, group) => {
        const base = document.querySelector('link[rel="modulepreload"]').href.match(/^.*\/a\/[0-9a-f]+\//)[0];
        const { Keys, startKeysWorker } = await import(`${base}e2ee/keys/page.js`);
        const other = new Keys(startKeysWorker);
        await other.begin(user);
        const epochs = [];
        for (const keys of [other, window.keys, other]) {
          await keys.ask({ op: 'change', group, add: [], users: [], remove: [] }, 'group');
          epochs.push((await keys.ask({ op: 'accepted', group }, 'group')).epoch);
        }
        return epochs;
      }, ANN, ROOM);
      assert.deepEqual(epochs, [3, 4, 5]);
    }));

  test(`what the worker refuses has a code (${engine})`, () =>
    during(party(), async (table) => {
      const ann = await pageFor(table, engine, ANN);
      assert.equal(await refusal(ann, { op: 'look', group: ROOM }), 'no_device');
      assert.equal(await refusal(ann, { op: 'nothing' }), 'bad_request');
      await ask(ann, 'device', { op: 'first', user: ANN, now_ms: Date.now() });
      assert.equal(await refusal(ann, { op: 'look', group: ROOM }), 'not_open');
      assert.equal(await refusal(ann, { op: 'join', welcome: 'AAAA' }), 'malformed');
    }));
}

// A member who has all that the server was ever given of an encrypted room, and the whole of their own browser with it: who came later reads nothing
// of before, who was removed nothing of after, whatever of it their client takes in and in whatever way. The same dump brings who was away and belongs there
// up to date.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { filesIn } from '../lib/canaries.mjs';
import { builtDesk } from './lib/built.mjs';
import { Chatter } from './lib/chatter.mjs';
import { CutOff, Dump } from './lib/dump.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage(Chatter);

/** A recovery code that was written down: from now on their keys are archived. */
async function secretOf(client) {
  const { recovery } = await client.ready();
  const { id, code } = await recovery.make();
  await recovery.kept(id);
  return { kind: 'recovery_code', secret: code };
}

const archived = (client, room) =>
  client.until('the archive to have everything', async () => (await client.worker.ask({ op: 'seal_segment', of: { room: room.id, block: 0 }, now_ms: Date.now() }, 'segment')).sealed === null);

/** What is read by each way of taking in the dump, with a browser of these states each time. */
async function readsBy(dump, room, { who, user, states, secret }) {
  const read = {};
  for (const [way, requests] of Object.entries(dump.ways(secret))) {
    const browser = await CutOff.of(await builtDesk(), states.copy(), user);
    const became = await browser.take(requests);
    read[way] = await browser.reads(room, dump.envelopes);
    console.log(`${who}, given ${way} (${JSON.stringify(became)}): reads ${read[way].join(', ') || 'nothing'}`);
  }
  return read;
}

/** A browser as it is now, with the person's recovery code. */
const asNow = (who, { user, states }, secret) => ({ who, user, states: states.copy(), secret });

/**
 * The browser of this client as it is when it is about to come into a group by a welcome: kept as soon as that is so. It does not come in otherwise,
 * for it is not told what that needs.
 */
function beforeWelcome(client) {
  const kept = { states: null };
  const whole = client.fetch;
  client.fetch = async (url, init) => (/\/e2ee\/groups\/[\w-]+\/info$/.test(url.pathname) ? Response.json({ code: 'unavailable' }, { status: 503 }) : whole(url, init));
  const ask = client.worker.ask.bind(client.worker);
  client.worker.ask = (request, type) => {
    if (request.op === 'join') kept.states ??= client.states.copy();
    return ask(request, type);
  };
  return kept;
}

test('t16, t17 with all that the server was ever given, who came later reads nothing of before and who was removed nothing of after, and who belongs there reads it', async () => {
  const ann = await on.people.stranger();
  await ann.start();
  const room = await ann.api.call('POST', 'rooms', { name: 'Stammtisch', encryption: 'mls' });
  const dump = new Dump(room);
  dump.of(ann);
  await ann.rooms.load();
  const newcomer = async () => dump.of(await on.people.stranger()).start();
  const says = async (client, text, all) => {
    await client.says(room, text);
    for (const each of all) await each.sees(room, text);
  };
  const [ben, cleo] = [await newcomer(), await newcomer()];
  for (const client of [ben, cleo]) await client.rooms.join(room.link_code);
  await agree([ann, ben, cleo], room);
  const [bens, cleos] = [await secretOf(ben), await secretOf(cleo)];
  await dump.keepInfo(ann);
  await says(ann, 'one', [ben, cleo]);
  await says(ben, 'two', [ann, cleo]);
  for (const client of [ben, cleo]) await archived(client, room);
  const [away, removed] = [asNow('who was away', ben, bens), asNow('who was removed', cleo, cleos)];

  await ann.api.call('DELETE', `rooms/${room.id}/members/${cleo.user}`);
  await agree([ann, ben], room);
  await dump.keepInfo(ann);
  await says(ann, 'three', [ben]);
  await archived(ben, room);
  const dora = await newcomer();
  const before = beforeWelcome(dora);
  await dora.rooms.join(room.link_code);
  await dora.until('to be let in', () => dora.keys.account?.lookOf(room.id));
  await agree([ann, ben, dora], room);
  const doras = await secretOf(dora);
  await dump.keepInfo(ann);
  await says(ann, 'four', [ben, dora]);
  await says(dora, 'five', [ann, ben]);
  for (const client of [ben, dora]) await archived(client, room);

  const database = Buffer.concat(filesIn(on.server.data).map(({ bytes }) => bytes));
  for (const each of [...dump.envelopes, ...dump.commits]) assert.ok(database.includes(Buffer.from(each, 'base64')), 'what was kept on the way is what the server keeps');
  console.log(`kept: ${dump.envelopes.length} messages, ${dump.commits.length} commits, ${dump.welcomes.length} welcomes, ${dump.backups.length} backups, ${dump.infos.length} trees`);

  const none = (read, texts, who) => {
    for (const [way, all] of Object.entries(read)) for (const text of texts) assert.ok(!all.includes(text), `${who} reads "${text}" by ${way}`);
  };
  const byRemoved = await readsBy(dump, room, removed);
  assert.deepEqual(byRemoved.nothing, ['one', 'two']);
  none(byRemoved, ['three', 'four', 'five'], 'who was removed');
  const byLater = await readsBy(dump, room, asNow('who came later', dora, doras));
  assert.deepEqual(byLater.nothing, ['four', 'five']);
  none(byLater, ['one', 'two', 'three'], 'who came later');
  const byWaiting = await readsBy(dump, room, { ...asNow('who waits to be let in', dora, doras), states: before.states });
  none(byWaiting, ['one', 'two', 'three'], 'who came later');

  // What the same things open for whom they are: each way is one by which a client reads what it may.
  const byMember = await readsBy(dump, room, asNow('who was there all the time', ben, bens));
  assert.deepEqual(byMember.nothing, ['one', 'two', 'three', 'four', 'five']);
  const byAway = await readsBy(dump, room, away);
  assert.deepEqual([byAway.nothing, byAway.commits], [['one', 'two'], ['one', 'two', 'three']], 'the commits lead on');
  assert.deepEqual(byAway.backups, ['one', 'two', 'three', 'four'], 'the archive has the keys');
  assert.deepEqual([byWaiting.nothing, byWaiting.welcomes], [[], ['four', 'five']], 'the welcome lets in');
});

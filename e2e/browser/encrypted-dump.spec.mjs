// Who keeps everything that a server forwards of an encrypted call, and has been a member or becomes one: what was sent while they were in the
// call they open, and nothing else, with all keys that they ever had, and with a clock that lets none of them end.
//
// One page with camera and microphone; a recorder without keys; members without a page, whose keys are those of the client's own modules.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { KeyRing } from '../../web/e2ee/media/keys.js';
import { openFrame } from '../../web/e2ee/media/opening.js';
import { builtDesk } from '../crypto/lib/built.mjs';
import { Stay } from '../crypto/lib/call.mjs';
import { Client } from '../crypto/lib/client.mjs';
import { during, party } from './lib/party.mjs';
import { sealedPart, Tap } from './lib/tap.mjs';

/** Of each kind, under each set of keys: a second and more. */
const ENOUGH = { video: 20, audio: 60 };

const clients = [];
after(() => clients.forEach((client) => client.stop()));

/** A member without a page, in the room's group and in its call, who has keys. */
async function member(table, name, room) {
  const client = await Client.of(await builtDesk(), table.server, name);
  clients.push(client);
  await client.start();
  await client.rooms.join(room.link_code);
  const account = await client.ready();
  await client.until('to be let in', () => account.sync(room.id));
  const stay = await Stay.of(client, room);
  return client.until('keys of the call', () => stay.epochs.length > 0 && stay);
}

/** What a member opens of these frames, whoever they are said to be of, with all the keys that they were ever given. */
async function opened({ epochs }, frames) {
  const ring = new KeyRing();
  for (const message of epochs) assert.ok(message.type === 'epoch' ? ring.begin(message, 0) : ring.add(message.epoch, message.member));
  const outcomes = await Promise.all(
    frames.map(({ mimeType, bytes }) => openFrame(ring, { admits: () => true }, { data: bytes.slice().buffer, getMetadata: () => ({ mimeType }) }, 0, () => {})),
  );
  return outcomes.filter((outcome) => typeof outcome !== 'string').length;
}

/** Which epoch's keys each frame is under, as it says itself: the lowest byte of the number. */
const epochOf = (frame) => sealedPart(frame).epoch;

/** All frames of a person up to now, once there are enough of both kinds that satisfy this. */
function frames(recorder, person, isWanted) {
  const isEnough = (all) => Object.entries(ENOUGH).every(([kind, least]) => all.filter((frame) => frame.kind === kind && isWanted(frame)).length >= least);
  return recorder.framesOf(person, isEnough);
}

test('t16, t17 who was removed from a call opens nothing that follows, who comes later nothing that was before, and what was sent while they were there they open', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const room = await table.room([anna], { encryption: 'mls' });
    const recorder = await Tap.of(table, [room]);
    await table.join([anna], room, { codec: 'VP8' });
    await recorder.join(room, { dump: true });
    const ben = await member(table, 'ben', room);
    const withBen = ben.epochs.at(-1).epoch;
    await frames(recorder, anna, (frame) => epochOf(frame) === withBen);

    const removed_ms = Date.now();
    await table.server.request('DELETE', `rooms/${room.id}/members/${ben.client.user}`, { token: anna.token });
    const two = await frames(recorder, anna, (frame) => epochOf(frame) > withBen);
    const changed_ms = Math.min(...two.filter((frame) => epochOf(frame) > withBen).map(({ at_ms }) => at_ms));
    console.log(`the first frame under new keys came ${changed_ms - removed_ms} ms after the member was removed`);

    const dora = await member(table, 'dora', room);
    const withDora = dora.epochs[0].epoch;
    const all = await frames(recorder, anna, (frame) => epochOf(frame) >= withDora);
    const phase = {
      'while ben was there': all.filter((frame) => epochOf(frame) === withBen),
      between: all.filter((frame) => epochOf(frame) > withBen && epochOf(frame) < withDora),
      'while dora was there': all.filter((frame) => epochOf(frame) >= withDora),
    };
    const counts = {};
    for (const [name, some] of Object.entries(phase)) counts[name] = { frames: some.length, ben: await opened(ben, some), dora: await opened(dora, some) };
    console.log(`frames kept and opened: ${JSON.stringify(counts)}`);
    const [first, between, last] = Object.values(counts);
    assert.deepEqual([first.ben, between.ben, last.ben], [first.frames, 0, 0]);
    assert.deepEqual([first.dora, between.dora, last.dora], [0, 0, last.frames]);
    // No track went back to keys that the removed member has.
    for (const kind of ['video', 'audio']) {
      const epochs = all.filter((frame) => frame.kind === kind).map(epochOf);
      assert.ok(epochs.every((epoch, index) => index === 0 || epoch >= epochs[index - 1]), `${kind}: ${epochs}`);
    }
  }));

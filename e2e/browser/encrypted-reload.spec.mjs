// Somebody's page is reloaded again and again in the midst of an encrypted call. Each time it counts its frames from the beginning, and each time
// under other keys, by all that the server forwards and by the keys of a member who is there all the time.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeyRing } from '../../web/e2ee/media/keys.js';
import { sealFrame } from '../../web/e2ee/media/sealing.js';
import { keyholders, opened, recordedRoom } from './lib/keyholder.mjs';
import { usedTwice, usesOf } from './lib/nonces.mjs';
import { during, inCall, ownParticipant, party } from './lib/party.mjs';

const RELOADS = 3;
/** Of each kind, in each stay: some seconds, so that a later stay that counts from the beginning uses the same counters. */
const ENOUGH = { video: 40, audio: 120 };

const member = keyholders();

const byKey = ({ base, context, counter }) => `${base}/${context}/${counter}`;
const byItself = ({ named, counter }) => `${named}/${counter}`;
const byCounter = ({ context, counter }) => `${context}/${counter}`;

/** All frames so far, once there are enough under keys that the holder knows to be of this participant. */
async function framesOfStay(recorder, holder, participant) {
  let uses = [];
  await recorder.page.until(`frames of ${participant}`, async () => {
    uses = await usesOf(await recorder.allFrames(() => true), holder);
    return Object.entries(ENOUGH).every(([kind, least]) => uses.filter(({ owner, frame }) => owner === participant && frame.kind === kind).length >= least);
  });
  return uses;
}

/** As a worker would do it that begins afresh under the keys that it had: two frames. */
async function sealedAnew(holder) {
  const seal = async (content) => {
    const ring = new KeyRing();
    ring.begin(holder.epochs[0], 0);
    const frame = { data: Uint8Array.from(Buffer.from(content)).buffer, getMetadata: () => ({ mimeType: 'audio/opus' }) };
    return { kind: 'audio', mimeType: 'audio/opus', bytes: new Uint8Array(await sealFrame(ring, 'microphone', frame, 0)) };
  };
  return [await seal('one content'), await seal('another content')];
}

test('t12 no key and counter come twice, whoever reloads their page three times in the midst of a call: each stay has keys of its own', () =>
  during(party(), async (table) => {
    const { anna, room, recorder } = await recordedRoom(table);
    await table.join([anna], room, { codec: 'VP8' });
    await recorder.join(room, { dump: true });
    // Without anybody else; then her first stay goes on under further keys.
    await recorder.allFrames((all) => all.filter(({ kind }) => kind === 'video').length >= ENOUGH.video);
    const ben = await member(table, 'ben', room);
    const participants = [];
    let uses = [];
    while (participants.length <= RELOADS) {
      if (participants.length > 0) {
        await anna.reload();
        await anna.choose('codec', 'VP8');
        await anna.click('join-call');
        await inCall(anna);
      }
      participants.push(await ownParticipant(anna));
      uses = await framesOfStay(recorder, ben, participants.at(-1));
    }

    const stays = participants.map((participant, index) => uses.filter(({ owner }) => owner === participant || (owner === null && index === 0)));
    const epochs = stays.map((stay) => [...new Set(stay.map(({ epoch }) => epoch))]);
    console.log(`frames of each stay: ${stays.map(({ length }) => length).join(', ')}; epochs: ${epochs.map((all) => all.join(' ')).join(', ')}; leaves: ${stays.map((stay) => stay.at(-1).named.split('/')[0]).join(', ')}`);
    assert.equal(stays.flat().length, uses.length, 'every frame is of one of the stays');
    assert.equal(new Set(participants).size, RELOADS + 1);
    assert.ok(epochs[0].length > 1, 'the first stay went on through a change of the keys');
    assert.equal(new Set(epochs.flat()).size, epochs.flat().length, 'no two stays share an epoch');
    const held = uses.filter(({ base }) => base !== null);
    const bases = stays.map((stay) => new Set(stay.filter(({ base }) => base !== null).map(({ base }) => base)));
    assert.equal(new Set(bases.flatMap((some) => [...some])).size, bases.reduce((sum, { size }) => sum + size, 0), 'no two stays have a key in common');
    assert.equal(await opened(ben, held.map(({ frame }) => frame)), new Set(held.map(byKey)).size, 'the headers are true: all of it is opened');

    assert.deepEqual(usedTwice(uses, byItself), [], 'by what the frames say of themselves');
    assert.deepEqual(usedTwice(held, byKey), [], 'by the keys of who has them');
    for (const stay of stays) assert.deepEqual(usedTwice(stay, byCounter), [], 'a counter goes on when the keys change');
    // The same search finds what there is to be found.
    assert.ok(usedTwice(uses, byCounter).length >= ENOUGH.audio, 'each stay counts from the beginning: the keys alone keep them apart');
    const changed = uses.map((use) => ({ ...use, frame: { ...use.frame, bytes: use.frame.bytes.with(-1, use.frame.bytes.at(-1) ^ 1) } }));
    assert.equal(usedTwice([...uses, ...changed], byItself).length, new Set(uses.map(byItself)).size);
    assert.equal(usedTwice(await usesOf(await sealedAnew(ben), ben), byItself).length, 1, 'one who seals anew under the keys that they had');
  }));

// What the server forwards of an encrypted call, seen live and played again from what was kept, by a page that has no keys: no picture and no tone,
// whatever the codec. Of the same call in an open room it sees and hears everything, by the same decoders.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { ALIKE, entropyOf, sealedPart, Tap } from './lib/tap.mjs';
import { ALL_VARIANTS } from './lib/variants.mjs';

/**
 * By codec, how many bytes of a frame may be in the clear: ten of a VP8 keyframe (RFC 7741 §4.3), none of VP9, and of the others what says how
 * large pictures are (SPS and PPS; the sequence header), which a browser and the server need before they have a key.
 */
const MAX_CLEAR_BYTES = { VP8: 10, VP9: 0, H264: 64, AV1: 32 };
/** In every run: what browsers choose by themselves, and the one of which a decoder makes pictures without a key, though of noise. */
const CODECS = ALL_VARIANTS ? Object.keys(MAX_CLEAR_BYTES) : ['VP8', 'H264'];
/** Of a kept file of random bytes; what is in the clear around a sealed frame is some bytes. */
const RANDOM_BITS = 7.9;
/** Of one person: some seconds. */
const [MIN_PICTURES, MIN_SOUNDS] = [60, 200];

const ofKind = (frames, kind) => frames.filter((frame) => frame.kind === kind);

const told = ({ pictures, fed, errors, like, most }) => `${pictures} pictures of ${fed} with ${errors} errors, ${like} of them like the source (at most ${most.toFixed(2)})`;

/** What decoders without keys make of the frames, and what they are made of. */
function examine(codec, encryption, live, frames, { video, running, audio }) {
  const [pictures, sounds] = ['video', 'audio'].map((kind) => ofKind(frames, kind));
  const parts = frames.map(sealedPart);
  const entropies = [pictures, sounds].map((some) => entropyOf(some.map((frame) => sealedPart(frame)?.sealed ?? frame.bytes)).toFixed(3));
  console.log(
    `${codec}, ${encryption}: ${pictures.length} pictures, ${sounds.length} sounds kept; seen live ${live.picture.toFixed(2)}, heard ${live.tone.toFixed(3)}; ` +
      `decoded ${told(video)}, by decoders that ran already ${told(running)}, and ${audio.samples} samples of sound, ${audio.purity.toFixed(3)} of them the tone; ` +
      `${parts.filter((part) => part !== null).length} have the header of a sealed frame of theirs, behind at most ${Math.max(...parts.map((part) => part?.clear_bytes ?? 0))} bytes; entropy ${entropies.join(' and ')} bit/byte`,
  );
  assert.ok(pictures.every(({ mimeType }) => mimeType === `video/${codec}`));
  assert.equal(running.fed, pictures.length, 'a decoder takes all of it');
  if (encryption === 'open') {
    assert.ok(live.picture >= ALIKE && live.tone >= ALIKE, 'who is between sees and hears an open call');
    assert.ok(video.like > pictures.length / 2 && running.like > pictures.length / 2 && audio.purity >= ALIKE, 'and reads it from what was kept');
    return;
  }
  assert.ok(live.picture < ALIKE / 2 && live.tone < ALIKE / 2, 'who is between neither sees nor hears an encrypted call');
  assert.ok(video.most < ALIKE / 2 && running.most < ALIKE / 2, 'no picture comes of what was kept');
  assert.ok(audio.purity < ALIKE / 2, 'no tone does');
  assert.ok(parts.every((part) => part !== null && part.clear_bytes <= MAX_CLEAR_BYTES[codec]), 'every frame is sealed, from behind its codec’s few bytes on');
  assert.ok(entropies.every((bits) => Number(bits) > RANDOM_BITS), 'and what is sealed looks like chance');
}

for (const codec of CODECS) {
  test(`t25 of an encrypted call whoever has what the server forwards sees and hears nothing, and of an open call all (${codec})`, () =>
    during(party(), async (table) => {
      const people = [await table.person('chromium'), await table.person('chromium')];
      const rooms = {};
      for (const encryption of ['open', 'mls']) rooms[encryption] = await table.room(people, { encryption });
      const watcher = await Tap.of(table, Object.values(rooms));
      const recorder = await Tap.of(table, Object.values(rooms));
      const [anna, boris] = people;
      let keyframe = null;
      for (const encryption of ['open', 'mls']) {
        await table.join(people, rooms[encryption], { codec });
        await allSeeAndHearAll(people);
        await watcher.join(rooms[encryption]);
        await recorder.join(rooms[encryption], { dump: true });
        if (encryption === 'open') await watcher.shows(anna);
        const live = await watcher.likeness(anna);
        await allSeeAndHearAll(people);
        const isKey = ({ kind, type }) => kind === 'video' && type === 'key';
        // Of the open call: the encrypted one has none that a decoder takes.
        keyframe ??= (await recorder.framesOf(boris, (all) => all.some(isKey))).find(isKey);
        const frames = await recorder.framesOf(anna, (all) => ofKind(all, 'video').length >= MIN_PICTURES && ofKind(all, 'audio').length >= MIN_SOUNDS);
        examine(codec, encryption, live, frames, await recorder.decoded(frames, anna, keyframe));
        await watcher.leave();
        await recorder.leave();
        for (const page of people) await page.click('leave');
      }
    }));
}

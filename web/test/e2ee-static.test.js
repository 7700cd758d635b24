// The source of the media worker itself: no frame can go past the sealing and opening, and nothing reaches the worker's keys.
// Each check is shown a module that breaks it, so that the check itself can fail.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../', import.meta.url);
const MEDIA = 'e2ee/media/';
const code = (text) => text.replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, '');
const read = (folder) =>
  Object.fromEntries(
    readdirSync(new URL(folder, root), { recursive: true })
      .filter((name) => name.endsWith('.js'))
      .map((name) => [`${folder}${name}`, code(readFileSync(new URL(`${folder}${name}`, root), 'utf8'))]),
  );
const media = read(MEDIA);
const client = { ...media, ...Object.assign({}, ...['net/', 'rtc/', 'state/', 'ui/', 'views/', 'e2ee/'].map(read)), 'main.js': code(readFileSync(new URL('main.js', root), 'utf8')) };

const OUTLET = `${MEDIA}frames.js`;
const WAYS_OUT = /\benqueue\b|\bpipeTo\b|\bpipeThrough\b|\bTransformStream\b|\bwritable\b|\bgetWriter\b|\bwrite\b|\btee\b/g;
/** Names under which such switches go elsewhere, and the interface that has no worker. */
const SWITCHES = /pass[_-]?through|\bbypass\b|createEncodedStreams|\bencryptionEnabled\b|\bisEncrypted\b|encryption\s*[!=]==?\s*['"]none['"]/gi;

/** Every way out beside the one that there is. */
function waysOut(files) {
  const elsewhere = Object.entries(files).filter(([name]) => name !== OUTLET).flatMap(([name, text]) => [...text.matchAll(WAYS_OUT)].map(([found]) => `${name}: ${found}`));
  const outlet = (files[OUTLET] ?? '').replace(/\s+/g, ' ');
  const counts = { enqueue: 0, pipeTo: 0, pipeThrough: 0, TransformStream: 0, tee: 0, writable: 2, getWriter: 1, write: 1 };
  const wrong = Object.entries(counts).filter(([word, count]) => [...outlet.matchAll(new RegExp(`\\b${word}\\b`, 'g'))].length !== count).map(([word]) => `${OUTLET}: ${word}`);
  const isGuarded = outlet.includes('const bytes = await step(frame); if (bytes === null) return; frame.data = bytes; await out.write(frame);');
  return [...elsewhere, ...wrong, ...(isGuarded ? [] : [`${OUTLET}: what goes on is not what the step gave`])];
}

const switches = (files) => Object.entries(files).flatMap(([name, text]) => [...text.matchAll(SWITCHES)].map(([found]) => `${name}: ${found}`));

test('a frame leaves in one place, with what the step gave (T8)', () => {
  assert.deepEqual(waysOut(media), []);
  const outlet = media[OUTLET];
  for (const broken of [
    { ...media, [`${MEDIA}desk.js`]: `${media[`${MEDIA}desk.js`]} transformer.readable.pipeTo(transformer.writable)` },
    { ...media, [OUTLET]: outlet.replace('if (bytes === null) return;', 'if (bytes === null) return out.write(frame);') },
    { ...media, [OUTLET]: outlet.replace('frame.data = bytes;', 'if (step.on) frame.data = bytes;') },
    { ...media, [OUTLET]: outlet.replace('const out =', 'if (!step) return readable.pipeTo(writable); const out =') },
  ]) {
    assert.notDeepEqual(waysOut(broken), []);
  }
});

test('nothing in the client switches encryption of media off, or knows the interface without a worker (T8)', () => {
  assert.deepEqual(switches(client), []);
  for (const bad of ['if (passThrough) return frame', "track.encryption !== 'none'", 'sender.createEncodedStreams()', 'pass_through: true', 'bypass(frame)']) assert.notDeepEqual(switches({ 'x.js': code(bad) }), [], bad);
});

test('a step gives what WebCrypto made, or nothing', () => {
  const sealing = media[`${MEDIA}sealing.js`].replace(/\s+/g, ' ');
  const opening = media[`${MEDIA}opening.js`].replace(/\s+/g, ' ');
  const given = (text) => [...text.matchAll(/\breturn ([^;]+);/g)].map(([, what]) => what).filter((what) => !/^'\w+'$/.test(what));
  assert.deepEqual(given(sealing), ['concat([call, [CONTEXTS.indexOf(context)], clear])', 'packed.wrap(next.header.bytes, ciphertext).buffer']);
  assert.deepEqual(given(opening), ['unpacked', "key === 'missing' ? 'no_key' : 'clear_refused'", "key.replays.take(header.counter) ? { plain, owner: key.owner, context: key.context } : 'replayed'"]);
  assert.match(sealing, /const ciphertext = await seal\(/);
  assert.match(opening, /const plain = await open\(/);
  assert.match(opening, /if \(typeof unpacked === 'string'\) return unpacked;/);
});

test('the worker imports nothing from outside its folder, and reaches no network, storage or page', () => {
  for (const [name, text] of Object.entries(media)) {
    for (const [, from] of text.matchAll(/\bfrom '([^']+)'/g)) assert.ok(new URL(from, new URL(name, root)).href.startsWith(new URL(MEDIA, root).href), `${name} imports ${from}`);
    assert.doesNotMatch(text, /\bfetch\(|XMLHttpRequest|WebSocket|indexedDB|localStorage|\bcaches\b|importScripts|\bimport\(|exportKey|console\./, name);
  }
});

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

import { canary, forms, placesOf } from './canaries.mjs';

const WORD = canary('word');
/** Text around it, so that it stands at any place of three. */
const around = (shift) => Buffer.from(`{"v":1${'x'.repeat(shift)},"text":"${WORD}"}`);
const found = (bytes) => placesOf([{ place: 'here', bytes }], { word: WORD }).word.length === 1;

const WAYS = {
  'as it is': (text) => text,
  'in base64': (text) => Buffer.from(text.toString('base64')),
  'in base64url': (text) => Buffer.from(text.toString('base64url')),
  'in hex': (text) => Buffer.from(text.toString('hex')),
  'in upper-case hex': (text) => Buffer.from(text.toString('hex').toUpperCase()),
  'in UTF-16': (text) => Buffer.from(text.toString(), 'utf16le'),
  'in UTF-16, the other order': (text) => Buffer.from(text.toString(), 'utf16le').swap16(),
  'in an address': (text) => Buffer.from(encodeURIComponent(text.toString())),
  'in gzip': (text) => gzipSync(text),
  'in zlib': (text) => deflateSync(text),
  'in deflate': (text) => deflateRawSync(text),
  'in brotli': (text) => brotliCompressSync(text),
  'in gzip, among other bytes': (text) => Buffer.concat([randomBytes(300), gzipSync(text), randomBytes(300)]),
  'in zlib, among other bytes': (text) => Buffer.concat([randomBytes(300), deflateSync(text), randomBytes(300)]),
  'in base64url of deflate': (text) => Buffer.from(`{"body":"${deflateRawSync(text).toString('base64url')}"}`),
  'in gzip of base64 of gzip': (text) => gzipSync(gzipSync(text).toString('base64')),
};

for (const [way, written] of Object.entries(WAYS)) {
  test(`a word is found ${way}, wherever it begins`, () => {
    for (const shift of [0, 1, 2]) assert.ok(found(written(around(shift))), `behind ${shift} more`);
  });
}

test('a sign that is no letter is found as JSON and addresses write it', () => {
  const sign = '👩🏽‍🚀';
  for (const text of [sign, String.raw`\ud83d\udc69\ud83c\udffd\u200d\ud83d\ude80`, encodeURIComponent(sign), Buffer.from(` ${sign}`).toString('base64')]) {
    assert.deepEqual(placesOf([{ place: 'here', bytes: Buffer.from(text) }], { sign }).sign, ['here'], text);
  }
});

test('nothing is found where nothing is', () => {
  assert.ok(!found(randomBytes(1 << 20)));
  assert.ok(!found(gzipSync(`${WORD.slice(0, -1)}!`)));
});

test('what stands next to a word in base64 is no part of what is looked for', () => {
  assert.ok(forms(WORD).every((form) => form.length >= WORD.length));
});

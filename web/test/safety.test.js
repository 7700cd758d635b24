// What people compare by eye and voice: the emoji with their names, and the drawing of QR codes.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CATALOGUES } from '../i18n/index.js';
import { darkPath } from '../ui/qr.js';
import { SAFETY_EMOJI } from '../ui/safety-emoji.js';

/** In how many letters two words differ, at the best alignment (Levenshtein). */
function distance(one, other) {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) next.push(Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + Number(one[i - 1] !== other[j - 1])));
    row = next;
  }
  return row[other.length];
}

test('there are 64 emoji, each once, and in both languages each has a word of its own that sounds like no other', () => {
  assert.equal(SAFETY_EMOJI.length, 64);
  assert.equal(new Set(SAFETY_EMOJI.map(([picture]) => picture)).size, 64);
  for (const catalogue of Object.values(CATALOGUES)) {
    const names = SAFETY_EMOJI.map(([, key]) => catalogue[key].toLowerCase());
    assert.equal(new Set(names).size, 64);
    const alike = names.flatMap((name, at) => names.slice(at + 1).filter((other) => distance(name, other) < 2).map((other) => `${name} ${other}`));
    assert.deepEqual(alike, []);
    assert.ok(names.every((name) => name.length <= 10 && !name.includes(' ')), 'short enough for its place');
  }
});

test('every dark square of a code is drawn, and no light one', () => {
  const rows = ['1101', '0000', '1111', '0110'];
  const drawn = Array.from({ length: 4 }, () => Array(4).fill('0'));
  for (const [, x, y, width] of darkPath(rows).matchAll(/M(\d+) (\d+)h(\d+)v1h-\3z/g)) {
    for (let at = 0; at < Number(width); at += 1) drawn[Number(y) - 4][Number(x) - 4 + at] = '1';
  }
  assert.deepEqual(drawn.map((row) => row.join('')), rows);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { GAP, grid, spotlight } from '../ui/grid.js';

const WINDOWS = [[360, 560], [1400, 760], [800, 600], [2560, 1300], [640, 300]];
const overlap = (a, b) => a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height && b.top < a.top + a.height;

for (const [name, layout] of [['grid', grid], ['spotlight', spotlight]]) {
  test(`no two tiles of a ${name} overlap and none leaves the window`, () => {
    for (const [width, height] of WINDOWS)
      for (let count = 1; count <= 50; count += 1) {
        const { tiles, more } = layout(count, width, height);
        const rects = [...tiles, more].filter((rect) => rect !== null);
        assert.ok(tiles.length >= 1 && tiles.length <= count);
        assert.equal(more !== null, tiles.length < count, `${name} ${count} in ${width}×${height}`);
        rects.forEach((rect, index) => {
          assert.ok(rect.left >= -1 && rect.top >= -1, `${name} ${count} in ${width}×${height}`);
          assert.ok(rect.left + rect.width <= width + 1 && rect.top + rect.height <= height + 1, `${name} ${count} in ${width}×${height}`);
          for (const other of rects.slice(index + 1)) assert.ok(!overlap(rect, other), `${name} ${count} in ${width}×${height}`);
        });
      }
  });
}

test('two people stand side by side in a wide window and one above the other on a phone', () => {
  const [left, right] = grid(2, 1400, 700).tiles;
  assert.equal(left.top, right.top);
  const [upper, lower] = grid(2, 360, 640).tiles;
  assert.equal(upper.left, lower.left);
  assert.ok(lower.top >= upper.top + upper.height + GAP - 1);
});

test('one tile uses the height of a wide window', () => {
  const [only] = grid(1, 1600, 800).tiles;
  assert.equal(only.height, 800);
});

test('nine people in a wide window make three rows of three', () => {
  assert.equal(new Set(grid(9, 1400, 787).tiles.map(({ top }) => top)).size, 3);
});

test('the spotlight takes most of the window', () => {
  for (const [width, height] of WINDOWS) {
    const [main] = spotlight(5, width, height).tiles;
    assert.ok(main.width * main.height > 0.5 * width * height, `${width}×${height}`);
  }
});

test('the strip beside a spotlight begins at its upper edge', () => {
  const [, first] = spotlight(3, 1400, 760).tiles;
  assert.equal(first.top, 0);
});

test('on a phone three faces and the number of the others stand under the spotlight', () => {
  const { tiles, more } = spotlight(9, 348, 560);
  assert.equal(tiles.length, 4);
  assert.ok(more.left > tiles[3].left && more.top === tiles[3].top);
});

test('the number of the hidden stands at the end of the strip that it counts', () => {
  const { tiles, more } = spotlight(40, 1400, 760);
  const last = tiles.at(-1);
  assert.ok(more.top >= last.top + last.height && more.left >= tiles[0].width);
});

test('a window without room has no tiles', () => {
  assert.deepEqual(grid(3, 0, 0).tiles, []);
  assert.deepEqual(spotlight(3, 0, 500).tiles, []);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fitted, thumbnailOf } from '../ui/thumbnail.js';

const image = new Blob(['x'], { type: 'image/png' });

/** A browser that needs `bytes(width, height, quality)` characters for a picture, and writes the types in `writes`. */
function painter({ width = 4000, height = 3000, chars, writes = ['image/webp', 'image/jpeg'] }) {
  const seen = { painted: [], closed: 0 };
  const decode = async () => /** @type {any} */ ({ width, height, close: () => (seen.closed += 1) });
  const paint = (_bitmap, w, h) => {
    seen.painted.push([w, h]);
    return (type, quality) => `data:${writes.includes(type) ? type : 'image/png'};base64,`.padEnd(chars(w, h, quality), 'A');
  };
  return { seen, decode, paint };
}

test('a thumbnail fits into 320 pixels, and the size of the original is told', async () => {
  const browser = painter({ chars: () => 5_000 });
  const made = await thumbnailOf(image, browser);
  assert.deepEqual([made.width, made.height], [4000, 3000]);
  assert.ok(made.thumbnail.startsWith('data:image/webp;'));
  assert.deepEqual(browser.seen, { painted: [[320, 240]], closed: 1 });
});

test('what is too large is made worse, then smaller, until it is 8 kB', async () => {
  const browser = painter({ chars: (width, height, quality) => width * height * quality });
  const made = await thumbnailOf(image, browser);
  assert.ok(made.thumbnail.length <= 8_000);
  assert.deepEqual(browser.seen.painted, [[320, 240], [240, 180], [160, 120]]);
  const hopeless = await thumbnailOf(image, painter({ chars: () => 9_000 }));
  assert.deepEqual(hopeless, { width: 4000, height: 3000 });
});

test('a browser that writes no WebP gives JPEG', async () => {
  const made = await thumbnailOf(image, painter({ chars: () => 100, writes: ['image/jpeg'] }));
  assert.ok(made.thumbnail.startsWith('data:image/jpeg;'));
});

test('what is no image has no thumbnail', async () => {
  const never = { decode: () => assert.fail(), paint: () => assert.fail() };
  for (const type of ['', 'text/html', 'image/svg+xml', 'video/mp4']) assert.equal(await thumbnailOf(new Blob(['x'], { type }), never), null);
  assert.equal(await thumbnailOf(image, { ...never, decode: () => Promise.reject(new Error('broken')) }), null);
});

test('small pictures stay as they are and thin ones do not vanish', () => {
  assert.deepEqual(fitted({ width: 20, height: 10 }, 320), { width: 20, height: 10 });
  assert.deepEqual(fitted({ width: 10_000, height: 2 }, 320), { width: 320, height: 1 });
});

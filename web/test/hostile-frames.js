// Frames that nobody sealed as they are: what a server, or whoever is on the way, could put in the place of those that were sent (T15). The tests of
// the media worker in node and in browsers have the same.

import { concat } from '../e2ee/media/bytes.js';
import { randomBytes } from './e2ee-world.js';

const PIECES = [[0, 0, 1], [0, 0, 0, 1], [0, 0, 3], [0xff, 0xff, 0xff, 0xff, 0xff], [0x80], [0x65, 0x88, 0xc0], [0x67], [0x68], [0x0a, 0x05], [0x32], [0x36, 0x28], [0x12, 0x00], [0x11], [0x10, 0, 0, 0x9d, 1, 0x2a], [0x9d, 1, 0x2a]];

/**
 * Cut, lengthened, changed, spliced or made up.
 * @param {(n: number) => number} random
 * @param {Uint8Array[]} sealed
 * @param {Uint8Array[]} plain
 */
export function hostile(random, sealed, plain) {
  const whole = sealed[random(sealed.length)];
  switch (random(8)) {
    case 0:
      return randomBytes(random, random(300));
    case 1:
      return whole.slice(0, random(whole.length));
    case 2:
      return concat([whole, randomBytes(random, 1 + random(20))]);
    case 3:
      return concat([whole.subarray(random(whole.length)), sealed[random(sealed.length)]]);
    case 4:
      return concat(Array.from({ length: 1 + random(12) }, () => PIECES[random(PIECES.length)]));
    case 5:
      return concat([PIECES[random(PIECES.length)], whole]);
    case 6:
      return plain[random(plain.length)];
    default: {
      const changed = whole.slice();
      for (let count = 1 + random(6); count > 0; count -= 1) changed[random(changed.length)] ^= 1 << random(8);
      return changed;
    }
  }
}

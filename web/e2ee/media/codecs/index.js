/**
 * How a sealed frame of each codec looks on the wire. The *whole* frame of the encoder is sealed, always; a codec only says what must stand
 * in the clear around it so that browsers cut it into packets and put it together again, and so that the server knows a keyframe.
 * All that is clear is authenticated. Neither way throws, whatever it is given, and each reads its input once from front to back.
 */

/** @import { Codec } from '../interface.js' */

import { av1 } from './av1.js';
import { h264 } from './h264.js';
import { vp8 } from './vp8.js';
import { whole } from './whole.js';

/** @type {ReadonlyMap<string, Codec>} */
const CODECS = new Map([
  ['audio/opus', whole],
  ['video/vp9', whole],
  ['video/vp8', vp8],
  ['video/h264', h264],
  ['video/av1', av1],
]);

/**
 * @param {string | undefined} mimeType as a frame's metadata have it
 * @returns {Codec | null} null: nothing of this codec is sealed or opened
 */
export function codecOf(mimeType) {
  return CODECS.get(mimeType?.toLowerCase() ?? '') ?? null;
}

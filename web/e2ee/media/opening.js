/**
 * One frame of a seat: opened, or dropped. What is checked first costs least; nothing is remembered of a frame that was not opened, so
 * nobody without the key can move a replay window.
 */

/** @import { Context, Counter, EncodedFrame } from './interface.js' */
/** @import { KeyRing } from './keys.js' */
/** @import { Seat } from './seat.js' */

import { codecOf } from './codecs/index.js';
import { metadataOf } from './sealing.js';
import { open, readHeader } from './sframe.js';

/** Larger than a keyframe of any camera or screen; what is longer is not read. */
const MAX_FRAME_BYTES = 4 * 2 ** 20;

/** @typedef {{ plain: ArrayBuffer, owner: string, context: Context }} Opened */

/**
 * @param {KeyRing} ring
 * @param {Seat} seat
 * @param {EncodedFrame} frame
 * @param {number} now
 * @param {(kid: number) => void} missing called for a key that may yet come
 * @returns {Promise<Opened | Counter>} the frame to show, or why there is none
 */
export async function openFrame(ring, seat, frame, now, missing) {
  const codec = codecOf(frame.getMetadata().mimeType);
  if (codec === null) return 'unknown_codec';
  const data = new Uint8Array(frame.data);
  if (data.length > MAX_FRAME_BYTES) return 'malformed';
  const unpacked = codec.unpack(data);
  if (typeof unpacked === 'string') return unpacked;
  const header = readHeader(unpacked.sealed);
  if (header === null) return 'malformed';
  const key = ring.find(header.kid, now);
  if (key === 'missing') missing(header.kid);
  if (typeof key === 'string') return key === 'missing' ? 'no_key' : 'clear_refused';
  if (!seat.admits(key, now)) return 'foreign';
  if (!key.replays.isFresh(header.counter)) return 'replayed';
  if (ring.call === null) return 'no_key';
  const plain = await open(await key.cipher, header, metadataOf(ring.call, key.context, unpacked.clear), unpacked.sealed);
  if (plain === null) return 'auth_failed';
  return key.replays.take(header.counter) ? { plain, owner: key.owner, context: key.context } : 'replayed';
}

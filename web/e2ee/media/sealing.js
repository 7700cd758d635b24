/** One frame of an own track: sealed, or not sent. */

/** @import { Bytes, Context, Counter, EncodedFrame } from './interface.js' */
/** @import { KeyRing } from './keys.js' */

import { concat } from './bytes.js';
import { codecOf } from './codecs/index.js';
import { CONTEXTS } from './kid.js';
import { seal } from './sframe.js';

/**
 * What is authenticated beside the header: a frame fits one call, one source, and the clear bytes that it went out with.
 * @param {Bytes} call
 * @param {Context} context
 * @param {Bytes} clear
 */
export function metadataOf(call, context, clear) {
  return concat([call, [CONTEXTS.indexOf(context)], clear]);
}

/**
 * @param {KeyRing} ring
 * @param {Context} context
 * @param {EncodedFrame} frame
 * @param {number} now
 * @returns {Promise<ArrayBuffer | Counter>} the frame to send, or why there is none
 */
export async function sealFrame(ring, context, frame, now) {
  const codec = codecOf(frame.getMetadata().mimeType);
  if (codec === null) return 'unknown_codec';
  const plain = new Uint8Array(frame.data);
  const packed = plain.length === 0 ? null : codec.pack(plain);
  if (packed === null) return 'malformed';
  const next = ring.next(context, now);
  if (next === null || ring.call === null) return 'no_sending_key';
  const ciphertext = await seal(await next.cipher, next.header, metadataOf(ring.call, context, packed.clear), plain);
  return packed.wrap(next.header.bytes, ciphertext).buffer;
}

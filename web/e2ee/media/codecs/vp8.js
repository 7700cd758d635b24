/**
 * VP8: one byte before the sealed frame says keyframe or not, and a keyframe has ten, because receivers read its size there (RFC 7741
 * §4.3, RFC 6386 §9.1). They are made anew rather than taken from the frame: of the frame's own header only the size stays readable.
 */

/** @import { Bytes, Codec } from '../interface.js' */

import { concat, isEqual } from '../bytes.js';

/** Not a keyframe, version 0, shown. */
const DELTA = new Uint8Array([0x11]);
/** A keyframe, version 0, shown, an empty first partition; then the start code. The size follows. */
const KEY = new Uint8Array([0x10, 0x00, 0x00, 0x9d, 0x01, 0x2a]);
const SIZE_BYTES = 4;
const KEY_BYTES = KEY.length + SIZE_BYTES;
const START_CODE_AT = 3;

/** @type {Codec} */
export const vp8 = {
  pack: (frame) => {
    const clear = clearOf(frame);
    return clear && { clear, wrap: (header, ciphertext) => concat([clear, header, ciphertext]) };
  },
  unpack: (data) => {
    const [first] = data;
    if (first === undefined) return 'malformed';
    const length = first & 1 ? DELTA.length : KEY_BYTES;
    if (data.length <= length) return 'malformed';
    const clear = data.subarray(0, length);
    const expected = first & 1 ? DELTA : concat([KEY, sizeOf(clear)]);
    return isEqual(clear, expected) ? { clear, sealed: data.subarray(length) } : 'clear_refused';
  },
};

/**
 * @param {Bytes} frame
 * @returns {Bytes | null}
 */
function clearOf(frame) {
  const [first] = frame;
  if (first === undefined) return null;
  if (first & 1) return DELTA;
  const startCode = frame.subarray(START_CODE_AT, KEY.length);
  return frame.length >= KEY_BYTES && isEqual(startCode, KEY.subarray(START_CODE_AT)) ? concat([KEY, sizeOf(frame)]) : null;
}

/** @param {Bytes} frame */
function sizeOf(frame) {
  return frame.subarray(KEY.length, KEY_BYTES);
}

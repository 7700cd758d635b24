/** Exp-Golomb numbers (ITU-T H.264 §9.1) at the head of a slice (§7.3.3): as much of one as says which picture parameter set it uses. */

/** @import { Bytes } from '../interface.js' */

/** §7.4.2.2. */
const MAX_PPS_ID = 255;
/** Zeros before a number that is still of interest: 2^9 - 2 is over the largest identifier. */
const MAX_ZEROS = 16;
/** A slice of one type in the whole picture, I (§7.4.3). */
const SLICE_TYPE = 7;

/**
 * @param {Bytes} slice behind its NAL header, without escapes
 * @returns {number | null} pic_parameter_set_id
 */
export function readPpsId(slice) {
  let at = 0;
  let value = 0;
  for (const _ of ['first_mb_in_slice', 'slice_type', 'pic_parameter_set_id']) {
    const read = readNumber(slice, at);
    if (read === null) return null;
    ({ value, end: at } = read);
  }
  return value <= MAX_PPS_ID ? value : null;
}

/**
 * The head of a slice that begins at the first macroblock and uses this set, filled up to a whole byte.
 * @param {number} ppsId
 * @returns {Bytes}
 */
export function sliceHead(ppsId) {
  const bits = `${numberBits(0)}${numberBits(SLICE_TYPE)}${numberBits(ppsId)}1`;
  const whole = bits.padEnd(Math.ceil(bits.length / 8) * 8, '0');
  return Uint8Array.from({ length: whole.length / 8 }, (_, index) => Number.parseInt(whole.slice(index * 8, index * 8 + 8), 2));
}

/** @param {number} value */
function numberBits(value) {
  const binary = (value + 1).toString(2);
  return '0'.repeat(binary.length - 1) + binary;
}

/**
 * @param {Bytes} bytes
 * @param {number} start in bits
 * @returns {{ value: number, end: number } | null}
 */
function readNumber(bytes, start) {
  let zeros = 0;
  while (bitAt(bytes, start + zeros) === 0) {
    zeros += 1;
    if (zeros > MAX_ZEROS) return null;
  }
  let value = 0;
  const end = start + 2 * zeros + 1;
  for (let at = start + zeros; at < end; at += 1) {
    const bit = bitAt(bytes, at);
    if (bit === null) return null;
    value = value * 2 + bit;
  }
  return { value: value - 1, end };
}

/**
 * @param {Bytes} bytes
 * @param {number} at in bits
 */
function bitAt(bytes, at) {
  const byte = bytes[at >> 3];
  return byte === undefined ? null : (byte >> (7 - (at & 7))) & 1;
}

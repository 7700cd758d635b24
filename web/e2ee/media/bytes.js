/** Putting bytes together. */

/** @import { Bytes } from './interface.js' */

/** @type {Bytes} */
export const NO_BYTES = new Uint8Array(0);

/**
 * @param {readonly (Bytes | readonly number[])[]} parts
 * @returns {Bytes} a buffer of its own, without anything before or behind
 */
export function concat(parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {number} value at most 2^53 - 1
 * @param {number} width bytes
 * @returns {Bytes} big-endian
 */
export function bigEndian(value, width) {
  const bytes = new Uint8Array(width);
  for (let at = width - 1, rest = value; at >= 0 && rest > 0; at -= 1) {
    bytes[at] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/**
 * @param {Bytes} one
 * @param {Bytes} other
 */
export function isEqual(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Bytes as the formats of messages have them. Pure. */

const ENCODER = new TextEncoder();

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function utf8(text) {
  return ENCODER.encode(text);
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function equal(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {Uint8Array} bytes sixteen of them @returns {string} */
export function uuidOf(bytes) {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

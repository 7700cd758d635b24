/** NAL units in a byte stream (ITU-T H.264 annex B) and the escapes within them (§7.4.1). */

/** @import { Bytes } from '../interface.js' */

/** Units of one frame. Encoders make a handful: parameter sets and a slice for each thread. More is not from one. */
const MAX_UNITS = 64;
const ESCAPE = 3;

/**
 * @param {Bytes} stream
 * @returns {Bytes[] | null} every unit without start code and without the zeros behind it; null: not such a stream, or too many
 */
export function splitUnits(stream) {
  const starts = zeroPairs(stream, 1, 1, 3).map((one) => one + 1);
  if (starts.length > MAX_UNITS) return null;
  if (starts[0] !== 3 && !(starts[0] === 4 && stream[0] === 0)) return null;
  const units = starts.map((start, index) => withoutZeros(stream.subarray(start, (starts[index + 1] ?? stream.length + 3) - 3)));
  return units.every((unit) => unit.length > 0) ? units : null;
}

/**
 * @param {Bytes} raw must not end with a zero
 * @returns {Bytes} with no start code in it
 */
export function escape(raw) {
  const cuts = zeroPairs(raw, 0, ESCAPE, 2);
  const escaped = new Uint8Array(raw.length + cuts.length);
  let from = 0;
  cuts.forEach((cut, index) => {
    escaped.set(raw.subarray(from, cut), from + index);
    escaped[cut + index] = ESCAPE;
    from = cut;
  });
  escaped.set(raw.subarray(from), from + cuts.length);
  return escaped;
}

/**
 * @param {Bytes} escaped
 * @returns {Bytes}
 */
export function unescape(escaped) {
  const cuts = zeroPairs(escaped, ESCAPE, ESCAPE, 3);
  const raw = new Uint8Array(escaped.length - cuts.length);
  let from = 0;
  cuts.forEach((cut, index) => {
    raw.set(escaped.subarray(from, cut), from - index);
    from = cut + 1;
  });
  raw.set(escaped.subarray(from), from - cuts.length);
  return raw;
}

/**
 * Where a byte from `least` to `most` stands behind two zeros.
 * @param {Bytes} bytes
 * @param {number} least
 * @param {number} most
 * @param {number} step from one found to the first place where there may be another: no zero counts twice
 */
function zeroPairs(bytes, least, most, step) {
  /** @type {number[]} */
  const found = [];
  for (let at = 2; at < bytes.length; ) {
    const byte = bytes[at] ?? 0;
    if (byte > most) at += 3; // neither this byte nor a later pair that would hold it
    else if (byte < least || bytes[at - 1] !== 0 || bytes[at - 2] !== 0) at += 1;
    else {
      found.push(at);
      at += step;
    }
  }
  return found;
}

/** @param {Bytes} unit */
function withoutZeros(unit) {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end -= 1;
  return unit.subarray(0, end);
}

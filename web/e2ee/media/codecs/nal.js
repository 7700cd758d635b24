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
  /** @type {number[]} */
  const starts = [];
  for (let one = stream.indexOf(1, 2); one >= 0; one = stream.indexOf(1, one + 1)) {
    if (stream[one - 1] !== 0 || stream[one - 2] !== 0) continue;
    if (starts.push(one + 1) > MAX_UNITS) return null;
  }
  if (starts[0] !== 3 && !(starts[0] === 4 && stream[0] === 0)) return null;
  const units = starts.map((start, index) => withoutZeros(stream.subarray(start, (starts[index + 1] ?? stream.length + 3) - 3)));
  return units.every((unit) => unit.length > 0) ? units : null;
}

/**
 * @param {Bytes} raw must not end with a zero
 * @returns {Bytes} with no start code in it
 */
export function escape(raw) {
  const cuts = doubleZeros(raw, (next) => next <= ESCAPE, 2);
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
  const cuts = doubleZeros(escaped, (next) => next === ESCAPE, 3);
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
 * Where two zeros end before a byte of this kind.
 * @param {Bytes} bytes
 * @param {(next: number) => boolean} isWanted
 * @param {2 | 3} step how far behind the first zero the next pair may begin: an escape that is read is skipped, one to be written is not there
 */
function doubleZeros(bytes, isWanted, step) {
  /** @type {number[]} */
  const found = [];
  for (let zero = bytes.indexOf(0); zero >= 0 && zero + 2 < bytes.length; ) {
    const isFound = bytes[zero + 1] === 0 && isWanted(bytes[zero + 2] ?? 0xff);
    if (isFound) found.push(zero + 2);
    zero = bytes.indexOf(0, zero + (isFound ? step : 1));
  }
  return found;
}

/** @param {Bytes} unit */
function withoutZeros(unit) {
  let end = unit.length;
  while (end > 0 && unit[end - 1] === 0) end -= 1;
  return unit.subarray(0, end);
}

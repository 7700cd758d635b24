/** Open bitstream units (AV1 specification §5.3, §4.10.5): splitting a temporal unit, and writing one unit. */

/** @import { Bytes } from '../interface.js' */

import { concat } from '../bytes.js';

/** Units of one frame; encoders make two or three. */
const MAX_UNITS = 64;
/** The forbidden bit and the reserved one: neither is ever set, so neither can be changed unnoticed. */
const NEVER_SET = 0x81;
const HAS_EXTENSION = 0x04;
const HAS_SIZE = 0x02;
/** Bytes of a size that is still one: 2^28 and over is no unit. */
const MAX_SIZE_BYTES = 4;

/** @typedef {{ type: number, extension: number | null, payload: Bytes }} Obu */

/**
 * @param {Bytes} unit a temporal unit, or one layer of it
 * @returns {Obu[] | null} null: malformed, or too many
 */
export function splitObus(unit) {
  /** @type {Obu[]} */
  const found = [];
  for (let at = 0; at < unit.length; ) {
    const read = readObu(unit, at);
    if (read === null || found.push(read.obu) > MAX_UNITS) return null;
    at = read.end;
  }
  return found;
}

/**
 * @param {Obu} obu
 * @returns {Bytes} with its size
 */
export function writeObu(obu) {
  return concat([obuHeader(obu, HAS_SIZE), sizeBytes(obu.payload.length), obu.payload]);
}

/**
 * The header without saying whether a size follows: browsers take sizes out and put them in again on the way.
 * @param {Obu} obu
 */
export function obuHeader({ type, extension }, flags = 0) {
  return extension === null ? [(type << 3) | flags] : [(type << 3) | HAS_EXTENSION | flags, extension];
}

/**
 * @param {Bytes} from
 * @param {number} start
 * @returns {{ obu: Obu, end: number } | null}
 */
function readObu(from, start) {
  const header = from[start] ?? NEVER_SET;
  if ((header & NEVER_SET) !== 0) return null;
  const extension = (header & HAS_EXTENSION) === 0 ? null : from[start + 1];
  if (extension === undefined) return null;
  const at = start + (extension === null ? 1 : 2);
  const size = (header & HAS_SIZE) === 0 ? { value: from.length - at, end: at } : readSize(from, at);
  if (size === null || size.value > from.length - size.end) return null;
  const end = size.end + size.value;
  return { obu: { type: (header >> 3) & 0x0f, extension, payload: from.subarray(size.end, end) }, end };
}

/**
 * leb128().
 * @param {Bytes} from
 * @param {number} start
 */
function readSize(from, start) {
  let value = 0;
  for (let index = 0; index < MAX_SIZE_BYTES; index += 1) {
    const byte = from[start + index];
    if (byte === undefined) return null;
    value |= (byte & 0x7f) << (7 * index);
    if ((byte & 0x80) === 0) return { value, end: start + index + 1 };
  }
  return null;
}

/** @param {number} size */
function sizeBytes(size) {
  const bytes = [];
  let rest = size;
  for (; rest > 0x7f; rest >>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

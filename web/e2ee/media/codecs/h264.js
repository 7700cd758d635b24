/**
 * H.264: the parameter sets as they are, then one slice unit whose content is the sealed frame. Its head is that of a slice, with the
 * identifier of the parameter set that the frame's own slices use: browsers look for the set before they take a keyframe. The content is
 * escaped as in any unit, so nothing in it can be taken for a start code, and ends with the stop bit.
 *
 * Packetising writes start codes anew, so what is authenticated are the units, each with its length.
 */

/** @import { Bytes, Codec } from '../interface.js' */

import { bigEndian, concat, isEqual } from '../bytes.js';
import { readPpsId, sliceHead } from './golomb.js';
import { escape, splitUnits, unescape } from './nal.js';

const SLICE = 1;
const IDR_SLICE = 5;
const SPS = 7;
const PPS = 8;
/** The headers of the sealed unit: what an encoder writes for a keyframe and for any other picture. */
const KEY_HEADER = 0x65;
const DELTA_HEADER = 0x41;
const START_CODE = [0, 0, 0, 1];
const STOP = 0x80;
/** As much of a slice as its head can take. */
const HEAD_BYTES = 16;
/** Their lengths stand in two bytes. */
const MAX_SET_BYTES = 0xffff;

/** @type {Codec} */
export const h264 = {
  pack: (frame) => {
    const units = splitUnits(frame);
    const slice = units?.find((unit) => isSlice(unit));
    const ppsId = slice ? readPpsId(unescape(slice.subarray(1, HEAD_BYTES))) : null;
    if (!units || ppsId === null) return null;
    const sets = units.filter(isSet);
    if (sets.some((set) => set.length > MAX_SET_BYTES)) return null;
    const head = sliceHead(ppsId);
    const unitHeader = units.some((unit) => typeOf(unit) === IDR_SLICE) ? KEY_HEADER : DELTA_HEADER;
    const before = [...sets.flatMap((set) => [START_CODE, set]), START_CODE, [unitHeader]];
    return {
      clear: authenticated(sets, unitHeader, head),
      wrap: (header, ciphertext) => concat([...before, escape(concat([head, header, ciphertext, [STOP]]))]),
    };
  },
  unpack: (data) => {
    const units = splitUnits(data);
    if (units === null) return 'malformed';
    const sets = units.slice(0, -1);
    const last = units[units.length - 1];
    const unitHeader = last?.[0];
    if (!last || !sets.every(isSet) || (unitHeader !== KEY_HEADER && unitHeader !== DELTA_HEADER)) return 'clear_refused';
    const content = unescape(last.subarray(1));
    const ppsId = readPpsId(content);
    const head = ppsId === null ? null : sliceHead(ppsId);
    if (head === null || !isEqual(content.subarray(0, head.length), head) || content[content.length - 1] !== STOP) return 'clear_refused';
    if (sets.some((set) => set.length > MAX_SET_BYTES)) return 'malformed';
    return { clear: authenticated(sets, unitHeader, head), sealed: content.subarray(head.length, -1) };
  },
};

/**
 * @param {readonly Bytes[]} sets
 * @param {number} unitHeader
 * @param {Bytes} head
 */
function authenticated(sets, unitHeader, head) {
  return concat([...sets.flatMap((set) => [bigEndian(set.length, 2), set]), [unitHeader], head]);
}

/** @param {Bytes} unit */
function typeOf(unit) {
  return (unit[0] ?? 0) & 0x1f;
}

/** @param {Bytes} unit */
function isSlice(unit) {
  return typeOf(unit) === SLICE || typeOf(unit) === IDR_SLICE;
}

/** @param {Bytes} unit */
function isSet(unit) {
  return typeOf(unit) === SPS || typeOf(unit) === PPS;
}

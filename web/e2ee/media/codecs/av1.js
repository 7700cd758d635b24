/**
 * AV1: the sequence header as it is, then one frame unit whose payload is the sealed temporal unit. Browsers cut payloads at units, leave
 * out temporal delimiters and sizes and put sizes in again (AV1 RTP specification §4.5): these two kinds come through unchanged.
 *
 * The frame unit keeps the extension of the frame's own first unit: it says which layer this is.
 */

/** @import { Bytes, Codec } from '../interface.js' */
/** @import { Obu } from './obu.js' */

import { bigEndian, concat } from '../bytes.js';
import { obuHeader, splitObus, writeObu } from './obu.js';

const SEQUENCE_HEADER = 1;
const FRAME_HEADER = 3;
const FRAME = 6;
/** Their lengths stand in two bytes. */
const MAX_SEQUENCE_BYTES = 0xffff;

/** @type {Codec} */
export const av1 = {
  pack: (frame) => {
    const obus = splitObus(frame);
    const first = obus?.find(({ type }) => type === FRAME || type === FRAME_HEADER);
    if (!obus || !first) return null;
    const sequences = obus.filter(({ type }) => type === SEQUENCE_HEADER);
    if (sequences.some(isTooLong)) return null;
    const { extension } = first;
    return {
      clear: authenticated(sequences, extension),
      wrap: (header, ciphertext) => concat([...sequences.map(writeObu), writeObu({ type: FRAME, extension, payload: concat([header, ciphertext]) })]),
    };
  },
  unpack: (data) => {
    const obus = splitObus(data);
    const last = obus?.[obus.length - 1];
    if (!obus || !last) return 'malformed';
    const sequences = obus.slice(0, -1);
    if (last.type !== FRAME || sequences.some(({ type }) => type !== SEQUENCE_HEADER)) return 'clear_refused';
    if (sequences.some(isTooLong)) return 'malformed';
    return { clear: authenticated(sequences, last.extension), sealed: last.payload };
  },
};

/**
 * @param {readonly Obu[]} sequences
 * @param {number | null} extension of the frame unit
 * @returns {Bytes}
 */
function authenticated(sequences, extension) {
  const each = sequences.flatMap((obu) => [obuHeader(obu), bigEndian(obu.payload.length, 2), obu.payload]);
  return concat([...each, obuHeader({ type: FRAME, extension, payload: new Uint8Array(0) })]);
}

/** @param {Obu} obu */
function isTooLong({ payload }) {
  return payload.length > MAX_SEQUENCE_BYTES;
}

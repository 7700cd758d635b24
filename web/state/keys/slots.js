/**
 * What the slots of the archive are called with the server: the room's 16 bytes in base32 (RFC 4648 §6, in lower case), a point, and the number of
 * the block; 32 characters at most. Pure.
 */

/** @import { Block, Uuid } from '../../e2ee/keys/interface.js' */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';
const ROOM_BITS = 128n;
/** Characters that hold so many bits, and the bits of the last one that mean nothing. */
const ROOM_CHARS = 26;
const SPARE_BITS = 2n;
/** A block's number has five digits: 102 million epochs. */
const MAX_BLOCK = 99_999;
const NAME = /^([a-z2-7]{26})\.(?:0|[1-9]\d{0,4})$/;
const UUID = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/;

/** @param {Block} of @returns {string | null} null: there is no place for it */
export function slotOf({ room, block }) {
  if (!Number.isInteger(block) || block < 0 || block > MAX_BLOCK) return null;
  const bits = BigInt(`0x${room.replaceAll('-', '')}`) << SPARE_BITS;
  const digits = Array.from({ length: ROOM_CHARS }, (_, at) => ALPHABET[Number((bits >> BigInt(5 * (ROOM_CHARS - 1 - at))) & 31n)]);
  return `${digits.join('')}.${block}`;
}

/** @param {string} slot @returns {Uuid | null} null: it has something else */
export function roomOfSlot(slot) {
  const [, digits] = NAME.exec(slot) ?? [];
  if (digits === undefined) return null;
  const bits = [...digits].reduce((sum, digit) => (sum << 5n) | BigInt(ALPHABET.indexOf(digit)), 0n) >> SPARE_BITS;
  return bits >> ROOM_BITS > 0n ? null : bits.toString(16).padStart(32, '0').replace(UUID, '$1-$2-$3-$4-$5');
}

/**
 * Rooms that are encrypted by their id, and those that this browser has seen encrypted, and strict: who comes in, members say, and who speaks, nobody
 * tells the server. Nothing changes how a room is encrypted, so one that was stays so, whatever a server says later: it could read or listen along
 * otherwise, and nobody would notice. What was seen lives in localStorage; where that is refused, as long as the page.
 */

import { Remembered } from './remembered.js';

const ENCRYPTED = 'webcall.encrypted-rooms';
const STRICT = 'webcall.strict-rooms';

/** The digit of a UUID in which its version stands (RFC 9562 §4.1). */
const VERSION_AT = 14;

/**
 * Whether a room's id says that it is encrypted: of version 8 (`src/id.rs`). Those made before ids said it are of version 7, as open ones.
 * @param {string} room
 */
export const saysEncrypted = (room) => room[VERSION_AT] === '8';

export class EncryptedOnce {
  #encrypted;
  #strict;

  /** @param {import('./remembered.js').Kept} storage */
  constructor(storage) {
    this.#encrypted = new Remembered(ENCRYPTED, storage);
    this.#strict = new Remembered(STRICT, storage);
  }

  /**
   * A room as the server tells it, encrypted and strict as this browser knows it. Whatever is not said to be open is not.
   * @template {{ id: string, encryption: import('../protocol.js').Encryption, strict?: boolean }} R
   * @param {R} room
   * @returns {R}
   */
  seen(room) {
    if (room.encryption !== 'open') this.#encrypted.add(room.id);
    if (room.strict === true) this.#strict.add(room.id);
    if (room.encryption === 'open' && !saysEncrypted(room.id) && !this.#encrypted.has(room.id)) return room;
    return { ...room, encryption: 'mls', strict: this.#strict.has(room.id) };
  }

  /** Its keys say so. @param {string} room */
  foundStrict(room) {
    this.#encrypted.add(room);
    this.#strict.add(room);
  }

  /** @param {string} room */
  isStrict(room) {
    return this.#strict.has(room);
  }

  /** Those that were seen encrypted up to now. */
  known() {
    return this.#encrypted.copy();
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    this.#encrypted.readAgain();
    this.#strict.readAgain();
  }
}

/**
 * Rooms that this browser has seen encrypted. Nothing changes how a room is encrypted, so one that was stays so here, whatever a server says
 * later: it could read along otherwise, and nobody would notice. Lives in localStorage; where that is refused, as long as the page.
 */

const KEY = 'webcall.encrypted-rooms';
/** Far more than a person has. When they are full every room counts as encrypted: a server that invents some can take nothing away by that. */
const MAX_ROOMS = 4_000;

export class EncryptedOnce {
  #storage;
  /** @type {Set<string>} */
  #rooms;

  /** @param {Pick<Storage, 'getItem' | 'setItem'> | null} storage */
  constructor(storage) {
    this.#storage = storage;
    this.#rooms = new Set(read(storage));
  }

  /**
   * A room as the server tells it, encrypted as this browser knows it. Whatever is not said to be open is not.
   * @template {{ id: string, encryption: import('../protocol.js').Encryption }} R
   * @param {R} room
   * @returns {R}
   */
  seen(room) {
    if (room.encryption !== 'open') this.#remember(room.id);
    const isOpen = room.encryption === 'open' && !this.#rooms.has(room.id) && this.#rooms.size < MAX_ROOMS;
    return isOpen ? room : { ...room, encryption: 'mls' };
  }

  /** Another window of the browser may have seen more. */
  readAgain() {
    this.#rooms = new Set([...this.#rooms, ...read(this.#storage)].slice(0, MAX_ROOMS));
  }

  /** @param {string} room */
  #remember(room) {
    if (this.#rooms.has(room) || this.#rooms.size >= MAX_ROOMS) return;
    this.readAgain();
    this.#rooms.add(room);
    try {
      this.#storage?.setItem(KEY, JSON.stringify([...this.#rooms]));
    } catch {
      // Full or forbidden: remembered as long as the page.
    }
  }
}

/** @param {Pick<Storage, 'getItem'> | null} storage @returns {string[]} */
function read(storage) {
  try {
    const kept = JSON.parse(storage?.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((room) => typeof room === 'string') : [];
  } catch {
    return [];
  }
}

/**
 * Rooms that this browser has seen encrypted. Nothing changes how a room is encrypted, so one that was stays so here, whatever a server says
 * later: it could read along otherwise, and nobody would notice. Lives in localStorage; where that is refused, as long as the page.
 */

const KEY = 'webcall.encrypted-rooms';
/** Of more, the one seen first is let go. */
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
   * A room as the server tells it, encrypted as this browser knows it.
   * @template {{ id: string, encryption: import('../protocol.js').Encryption }} R
   * @param {R} room
   * @returns {R}
   */
  seen(room) {
    if (room.encryption === 'mls') this.#remember(room.id);
    return this.#rooms.has(room.id) ? { ...room, encryption: 'mls' } : room;
  }

  /** @param {string} room */
  #remember(room) {
    if (this.#rooms.has(room)) return;
    // Another window of the browser may have written meanwhile.
    this.#rooms = new Set([...read(this.#storage), ...this.#rooms, room].slice(-MAX_ROOMS));
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

/**
 * Files of messages that wait: kept in the local copy with their message, sent before it, gone on with after a reload.
 *
 * The body names a file that waits by an id made here; `OutboxItem.uploads` says which of them the server has by now and under which id.
 * The bytes stay here until the message is taken, so that a file which the server forgot meanwhile (after a day) can be sent again.
 */

/** @import { Course } from '../../net/upload.js' */
/** @import { OutboxItem } from './outbox.js' */
/** @import { ChatStorage } from './storage.js' */

import { ApiError } from '../../net/api.js';
import { PutOff } from '../../net/upload.js';

/** Of all waiting messages together. Browsers give a site gigabytes; more than this would be a folder, not an attachment, and is chosen again when there is a connection. */
export const MAX_KEPT_BYTES = 200 << 20;

/**
 * @typedef {object} Upload one file of a waiting message
 * @property {string} local its id here, as the body names it
 * @property {number} size
 * @property {string | null} remote its id at the server, once it is announced there
 * @property {boolean} done whether the server has all of it
 */
/** @typedef {(room: string, blob: Blob, course: Course) => Promise<string>} Send */

/** @param {readonly OutboxItem[]} items */
export function keptBytes(items) {
  return items.flatMap(({ uploads }) => uploads ?? []).reduce((sum, { size }) => sum + size, 0);
}

export class Uploads {
  #storage;
  #send;
  #changed;
  /** By message. @type {Map<string, AbortController>} */
  #running = new Map();
  /** Bytes of the file that is on its way, by message. @type {Map<string, number>} */
  #received = new Map();
  /** @type {Set<() => void>} */
  #wakers = new Set();

  /**
   * @param {ChatStorage} storage
   * @param {Send} send
   * @param {(room: string) => void} changed there was progress
   */
  constructor(storage, send, changed) {
    this.#storage = storage;
    this.#send = send;
    this.#changed = changed;
  }

  /** How much of a message's files is at the server, 0 to 1; null when there is nothing left to send. @param {OutboxItem} item */
  progressOf({ id, uploads = [] }) {
    if (uploads.every(({ done }) => done)) return null;
    const total = uploads.reduce((sum, { size }) => sum + size, 0);
    const sent = uploads.reduce((sum, { size, done }) => sum + (done ? size : 0), this.#received.get(id) ?? 0);
    return total === 0 ? 0 : Math.min(1, sent / total);
  }

  /**
   * Send what is missing of a message's files, one after another.
   * @param {OutboxItem} item
   * @param {(uploads: Upload[]) => Promise<void>} keep
   * @returns {Promise<Upload[]>} all done; rejects with a `FileError`
   */
  async send({ id, room, uploads = [] }, keep) {
    const ending = new AbortController();
    this.#running.set(id, ending);
    let now = [...uploads];
    /** @param {Upload} upload @param {Partial<Upload>} fields */
    const note = async (upload, fields) => {
      now = now.map((each) => (each.local === upload.local ? { ...each, ...fields } : each));
      await keep(now);
    };
    try {
      for (const upload of uploads) {
        if (upload.done) continue;
        const remote = await this.#sendOne(id, room, upload, ending.signal, (announced) => note(upload, { remote: announced }));
        this.#received.delete(id);
        await note(upload, { remote, done: true });
      }
    } finally {
      this.#running.delete(id);
      this.#received.delete(id);
    }
    return now;
  }

  /** The message is discarded: what runs ends, and the server is to forget it. @param {string} id */
  cancel(id) {
    this.#running.get(id)?.abort();
  }

  /** What is sent for messages that are no longer there is of no use. @param {ReadonlySet<string>} ids */
  cancelAllBut(ids) {
    for (const id of this.#running.keys()) if (!ids.has(id)) this.cancel(id);
  }

  /** The page ends; another one goes on. */
  putOff() {
    for (const ending of this.#running.values()) ending.abort(new PutOff());
  }

  /** The network is back. */
  nudge() {
    for (const wake of this.#wakers) wake();
  }

  /**
   * @param {string} message
   * @param {string} room
   * @param {Upload} upload
   * @param {AbortSignal} signal
   * @param {(id: string) => Promise<void>} announced
   */
  async #sendOne(message, room, { local, remote }, signal, announced) {
    try {
      const blob = await this.#storage.blob(local);
      if (!blob) throw new ApiError('upload_failed', 0);
      const progress = (/** @type {number} */ received) => {
        this.#received.set(message, received);
        this.#changed(room);
      };
      return await this.#send(room, blob, { signal, progress, resume: remote, announced, wait: (ms, ends) => this.#wait(ms, ends) });
    } catch (error) {
      throw new FileError(local, error);
    }
  }

  /** @param {number} ms @param {AbortSignal} signal @returns {Promise<void>} */
  #wait(ms, signal) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wakers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#wakers.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

/** Which file could not be sent, and why. */
export class FileError extends Error {
  /** @param {string} local @param {unknown} cause */
  constructor(local, cause) {
    super('a file could not be sent', { cause });
    this.local = local;
  }
}

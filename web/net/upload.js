/**
 * Sending a file: announced, then sent piece by piece, and gone on with where it ended after the connection was lost.
 *
 * Knows nothing of what the bytes are: it asks a source for them by their place, so that what is encrypted first is sent in the same
 * way. A source gives the same bytes each time it is asked for a place, because a lost piece is sent again.
 *
 * A server that has no space left ends it at once, so that whoever sends hears of it; but keeps what it has, to be gone on with.
 */

/** @import { Api } from './api.js' */
/** @import { FileState } from '../api.js' */

import { UPLOAD_BACKOFF, backoffMs } from '../backoff.js';
import { ApiError } from './api.js';

/** Sent in one request. More shows less of the progress, less waits more often for the server's disk. */
const PIECE_BYTES = 1 << 20;
/** A piece in this time is 70 kbit/s. A slower one is broken off and gone on with: what came of it counts. */
const PIECE_TIMEOUT_MS = 120_000;
/** The server waits half a minute for more of a request whose connection died unseen, and takes nothing else meanwhile. It is asked this often whether that is over. */
const BUSY_MS = 2_000;
/** What it is asked with: a piece would be sent in vain. */
const NOTHING = new Uint8Array(0);
/** Tries one after the other that bring nothing: with the longest waits about a day, after which the server forgets the file. */
const MAX_TRIES = 5_000;
/** Refusals that pass by themselves: another place in the file, an earlier request that still hangs, a server with too much to do. */
const PASSING = [
  'wrong_offset', 'upload_busy', 'busy', 'storage_unavailable', 'timed_out', 'rate_limited', 'network', 'server', 'internal', 'bad_answer',
];

/**
 * @typedef {object} Source where the bytes come from
 * @property {number} size bytes in all, as they are sent
 * @property {(from: number, to: number) => Promise<Blob | Uint8Array<ArrayBuffer>>} read the bytes from `from` up to and without `to`
 */

/**
 * @typedef {object} Course
 * @property {AbortSignal} signal ends the upload and takes the file back
 * @property {(received: number, size: number) => void} [progress] bytes that the server has
 * @property {string | null} [resume] the file, if it was announced before: it is gone on with
 * @property {(id: string) => unknown} [announced] the file has an id at the server now
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} [wait] may return early, as when the network is back
 * @property {() => number} [random]
 */

/** The reason to end an upload with that will be gone on with: the server is to keep what it has. */
export class PutOff extends Error {
  name = 'PutOff';
}

/**
 * @param {Blob} blob
 * @returns {Source}
 */
export function blobSource(blob) {
  return { size: blob.size, read: async (from, to) => blob.slice(from, to) };
}

/**
 * Sends a file to a room, where a message can take it along.
 * @param {Api} api
 * @param {string} room
 * @param {Source} source
 * @param {Course} course
 * @returns {Promise<string>} the file; rejects with an `ApiError`, or with the signal's reason
 */
export async function upload(api, room, source, { signal, progress = () => {}, resume = null, announced = () => {}, wait = pause, random = Math.random }) {
  let id = resume;
  let received = 0;
  let tries = 0;
  // What the server has is asked for before more is sent.
  let sure = id === null;
  let unknown = false;
  let busy = false;
  try {
    for (;;) {
      signal.throwIfAborted();
      try {
        const before = received;
        if (id === null) {
          id = await announce(api, room, source.size);
          // Whoever put it off meanwhile does not know of it, and announces it again.
          unknown = signal.aborted;
          if (!unknown) await announced(id);
        } else if (!sure) received = checked(await api.call('GET', `files/${id}/state`), source.size);
        sure = true;
        if (received > before) tries = 0;
        progress(received, source.size);
        if (received === source.size) return id;
        const bytes = busy ? NOTHING : await piece(source, received);
        const state = await api.patchBytes(`files/${id}?offset=${received}`, bytes, { signal, timeoutMs: PIECE_TIMEOUT_MS });
        const now = checked(state, source.size);
        // A server that is about to stop takes nothing and says so.
        if (now <= received && !busy) throw new ApiError('busy', 503);
        received = now;
        busy = false;
        tries = 0;
      } catch (error) {
        signal.throwIfAborted();
        sure = id === null;
        if (resume !== null && id === resume && codeOf(error) === 'file_not_found') {
          // It was put off for longer than the server keeps what nobody goes on with.
          [id, received, sure] = [null, 0, true];
          continue;
        }
        if (!passes(error) || tries >= MAX_TRIES) throw error;
        busy = codeOf(error) === 'upload_busy';
        const atLeastMs = (/** @type {ApiError} */ (error).retryAfterS ?? 0) * 1000;
        const growingMs = backoffMs(UPLOAD_BACKOFF, tries, random());
        await wait(Math.max(atLeastMs, busy ? Math.min(growingMs, BUSY_MS) : growingMs), signal);
        tries += 1;
      }
    }
  } catch (error) {
    // Without this it would count among the sender's files for a day.
    if (id !== null && (unknown || !(signal.aborted ? signal.reason instanceof PutOff : isKept(error)))) api.call('DELETE', `files/${id}`).catch(() => {});
    throw error;
  }
}

/**
 * @param {Api} api
 * @param {string} room
 * @param {number} size
 * @returns {Promise<string>}
 */
async function announce(api, room, size) {
  /** @type {FileState} */
  const { id } = await api.call('POST', `rooms/${room}/files`, { size });
  return id;
}

/**
 * @param {Source} source
 * @param {number} from
 */
async function piece(source, from) {
  const to = Math.min(from + PIECE_BYTES, source.size);
  const bytes = await source.read(from, to).catch(() => null);
  const length = bytes instanceof Blob ? bytes.size : bytes?.byteLength;
  // The file was changed or removed on the sender's disk meanwhile.
  if (bytes === null || length !== to - from) throw new ApiError('upload_failed', 0);
  return bytes;
}

/**
 * @param {FileState} state
 * @param {number} size
 */
function checked(state, size) {
  const { received } = state;
  if (!Number.isSafeInteger(received) || received < 0 || received > size) throw new ApiError('bad_answer', 200);
  return received;
}

/** Whether the server keeps what it has of a file whose upload ended so: whoever tries again goes on from there. @param {unknown} error */
export function isKept(error) {
  return codeOf(error) === 'disk_full';
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof ApiError ? error.code : null;
}

/** @param {unknown} error */
function passes(error) {
  return error instanceof ApiError && PASSING.includes(error.code);
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 * @returns {Promise<void>} rejects with the signal's reason
 */
function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const over = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', over);
      resolve();
    }, ms);
    signal.addEventListener('abort', over, { once: true });
  });
}

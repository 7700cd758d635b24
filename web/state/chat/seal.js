/**
 * Where the text of a body becomes the bytes that the server keeps, and back: as it is, in rooms that are not encrypted. Of encrypted rooms
 * `sealed-sender.js` and `sealed-log.js` do the same. Nothing else encodes or decodes a body.
 */

/** @import { Entry } from '../../protocol.js' */
/** @import { LogRecord } from './records.js' */

import { fromBase64, toBase64 } from '../../e2ee/base64.js';
import { checked, recordOf } from './records.js';

/**
 * @typedef {object} Sealer for what is sent
 * @property {(room: string, id: string, text: string) => Promise<string>} seal the body for the server; again under the same id, the same body. Rejects with ApiError
 * @property {(room: string, id: string) => Promise<void>} sent the server has it
 * @property {(room: string, id: string) => Promise<void>} unsent the server refused it for good
 * @property {(id: string) => string} idAgain the id under which a refused message is sent again
 *
 * @typedef {object} Log for what comes
 * @property {(room: string, entries: readonly Entry[], keep: (records: LogRecord[]) => Promise<LogRecord[]>) => Promise<LogRecord[]>} take entries that follow one another, and what was kept of them. Rejects when they cannot be read yet
 * @property {(room: string, entry: Entry) => Promise<LogRecord>} look one entry, wherever it stands
 * @property {(room: string, record: LogRecord) => boolean} isPutOff whether it may open later and is not tried again unasked
 * @property {(room: string, records: readonly LogRecord[], keep: (records: LogRecord[]) => Promise<LogRecord[]>) => Promise<LogRecord[]>} reopen tries such records again, and gives what is something else now
 * @property {(room: string, drop: () => Promise<void>) => Promise<void>} forget the log is another one now
 */

/** For rooms whose `encryption` is `open`. @type {Sealer} */
export const openSealer = {
  seal: async (_room, _id, text) => toBase64Url(new TextEncoder().encode(text)),
  sent: async () => {},
  unsent: async () => {},
  idAgain: (id) => id,
};

/** For the same. @type {Log} */
export const openLog = {
  take: async (room, entries, keep) => keep(await Promise.all(entries.map((entry) => openLog.look(room, entry)))),
  isPutOff: () => false,
  reopen: async () => [],
  forget: (_room, drop) => drop(),
  look: async (room, entry) => {
    checked(entry);
    return recordOf(room, entry, entry.kind === 'message' && entry.body !== null ? textOf(entry.body) : null);
  },
};

/** @param {Uint8Array} bytes */
export function toBase64Url(bytes) {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @param {string} body @returns {string} empty when it cannot be read */
function textOf(body) {
  try {
    const bytes = fromBase64(body.replaceAll('-', '+').replaceAll('_', '/'));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return '';
  }
}

/**
 * Files of encrypted rooms, sealed before they leave the device and opened after they came: chunk by chunk, so that a file takes the memory of a
 * few. Runs in the worker of the keys; each file has a key of its own, which goes in the sealed message.
 */

/** @import { Base64 } from './interface.js' */
/** @import { FileOpener, FileSealer } from './crypto.js' */

import { fromBase64, toBase64 } from '../base64.js';

/** Chunks that are put together before the browser keeps them: it may put away a Blob, and never bytes. */
const CHUNKS_AT_ONCE = 32;

/** Bytes that come in order, kept as a Blob. */
class Parts {
  /** @type {Blob[]} */
  #blobs = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  #chunks = [];

  /** @param {Uint8Array<ArrayBuffer>} chunk */
  add(chunk) {
    this.#chunks.push(chunk);
    if (this.#chunks.length >= CHUNKS_AT_ONCE) this.#putAway();
  }

  /** @param {string} type */
  whole(type) {
    this.#putAway();
    return new Blob(this.#blobs, { type });
  }

  #putAway() {
    this.#blobs.push(new Blob(this.#chunks));
    this.#chunks = [];
  }
}

/**
 * @param {typeof FileSealer} Sealer
 * @param {Blob} file
 * @param {{ name: string, type: string }} said what the receiver is told of it
 * @returns {Promise<{ file: Blob, sealed: Base64 }>} what the server gets, and what the message says; rejects with an Error whose message is a code
 */
export async function sealFile(Sealer, file, { name, type }) {
  const sealer = Sealer.begin(BigInt(file.size));
  const parts = new Parts();
  for (let chunk = 0; chunk < sealer.chunks(); chunk += 1) {
    parts.add(sealer.seal(await bytesOf(file, sealer.start(chunk), sealer.end(chunk))));
  }
  return { file: parts.whole('application/octet-stream'), sealed: toBase64(sealer.finish(name, type)) };
}

/**
 * @param {typeof FileOpener} Opener
 * @param {Blob} file as the server has it
 * @param {Base64} sealed as the message says
 * @returns {Promise<{ file: Blob, name: string, type: string }>} the very file that was sealed; name and type are what the sender says. Rejects with
 *   an Error whose message is a code
 */
export async function openFile(Opener, file, sealed) {
  const opener = Opener.of(fromBase64(sealed));
  try {
    const whole = opener.whole();
    const parts = new Parts();
    for (let chunk = 0; chunk < opener.chunks(); chunk += 1) {
      parts.add(whole.open(await bytesOf(file, opener.sealedStart(chunk), opener.sealedEnd(chunk))));
    }
    whole.finish();
    return { file: parts.whole('application/octet-stream'), name: opener.name(), type: opener.mediaType() };
  } finally {
    opener.free();
  }
}

/** @param {Blob} file @param {bigint} from @param {bigint} to */
async function bytesOf(file, from, to) {
  return new Uint8Array(await file.slice(Number(from), Number(to)).arrayBuffer());
}

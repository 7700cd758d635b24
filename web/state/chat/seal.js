/**
 * The one place where the text of a body becomes the bytes that the server keeps, and back. Today only UTF-8 in base64url; in encrypted
 * rooms the seal of end-to-end encryption stands here, which is why both ways are asynchronous. Nothing else encodes or decodes a body.
 */

/**
 * @typedef {object} Sealer
 * @property {(room: string, text: string) => Promise<string>} seal the body for the server
 * @property {(room: string, body: string) => Promise<string>} open what it says; empty when it cannot be read. A rejection means that it cannot be read yet.
 */

/** For rooms whose `encryption` is `open`. @type {Sealer} */
export const openSealer = {
  seal: async (_room, text) => toBase64Url(new TextEncoder().encode(text)),
  open: async (_room, body) => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fromBase64Url(body));
    } catch {
      return '';
    }
  },
};

/** Arguments of one call: more would overflow the stack. */
const CHUNK_BYTES = 8_192;

/** @param {Uint8Array} bytes */
export function toBase64Url(bytes) {
  let binary = '';
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK_BYTES));
  return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @param {string} text */
export function fromBase64Url(text) {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

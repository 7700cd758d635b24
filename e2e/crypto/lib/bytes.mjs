// Bytes, as both sides of the test write them.

export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
export const fromBase64 = (text) => new Uint8Array(Buffer.from(text, 'base64'));
export const hex = (bytes) => Buffer.from(bytes).toString('hex');
export const fromUuid = (uuid) => new Uint8Array(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
export const join = (...parts) => new Uint8Array(Buffer.concat(parts));

/** `size` bytes, big-endian. */
export function number(value, size) {
  return new Uint8Array(Buffer.from(BigInt(value).toString(16).padStart(2 * size, '0'), 'hex'));
}

/** The same bytes with one bit turned: once for every byte, each of the eight bits in its turn. */
export function* turned(bytes) {
  for (let at = 0; at < bytes.length; at += 1) {
    const copy = bytes.slice();
    copy[at] ^= 1 << (at % 8);
    yield { at, bytes: copy };
  }
}

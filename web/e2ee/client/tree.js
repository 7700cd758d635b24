/**
 * The hash of the client's files, as the build makes it (`web/assets/build/main.rs`): SHA-256 over every file by its path, the page last, each as
 * `length u64 | path | length u64 | content`, big-endian. The address of the files, `/a/<tree>/`, has its first ten bytes, so whoever has the files can
 * tell whether the address is theirs. Pure.
 */

const PAGE = 'index.html';
/** In the page's source, where the address of the tree is filled in. */
const BASE = '{{base}}';
const TREE = /\/a\/([0-9a-f]{20})\//;

/** Under which address a page has its files. @param {string} page @returns {string | null} */
export function treeOf(page) {
  return TREE.exec(page)?.[1] ?? null;
}

/**
 * @param {string} tree under which they came
 * @param {ReadonlyMap<string, Uint8Array>} files by path, without the page
 * @param {string} page
 * @returns {Promise<string>} in hexadecimal digits
 */
export async function hashOf(tree, files, page) {
  const encoder = new TextEncoder();
  const source = encoder.encode(page.replaceAll(`/a/${tree}`, BASE));
  const inOrder = [...files].sort(([one], [other]) => (one < other ? -1 : 1));
  const parts = [...inOrder, /** @type {[string, Uint8Array]} */ ([PAGE, source])].flatMap(([path, content]) => {
    const name = encoder.encode(path);
    return [lengthOf(name), name, lengthOf(content), content];
  });
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return hex(new Uint8Array(await crypto.subtle.digest('SHA-256', all)));
}

/** @param {Uint8Array} bytes */
function lengthOf(bytes) {
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes.length));
  return length;
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

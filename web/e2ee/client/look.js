/**
 * A look at the client's code as the server gives it: the page, and every file of its tree, as the browser has them in its cache or fetches them. Says
 * what they really hash to. The list of them is the server's word, but one that leaves a file out, or names another, does not lead to the tree.
 */

/** @import { Seen } from './interface.js' */

import { hashOf, treeOf } from './tree.js';

/** Twice what the client has; a list of more is none of ours. */
const MAX_FILES = 1_000;
const MAX_BYTES = 32 << 20;
/** What the page itself wants comes first. */
const AT_ONCE = 4;
const LINE = /^[0-9a-f]{64} {2}([\w-]+(?:[./][\w-]+)*)$/;
const PAGE = 'index.html';

/** @typedef {(path: string, cache: RequestCache) => Promise<Response>} Get */

/**
 * @param {Get} get
 * @returns {Promise<Seen | null>} null: not even the page could be fetched (no connection, or the server is being renewed)
 */
export async function look(get) {
  const page = await text(get('/', 'no-store')).catch(() => null);
  if (page === null) return null;
  const tree = treeOf(page);
  const sha256 = tree === null ? null : await hashUnder(get, tree, page).catch(() => null);
  return { tree: tree ?? '', sha256, isTrue: tree !== null && sha256 !== null && sha256.startsWith(tree) };
}

/** @param {Get} get @param {string} tree @param {string} page */
async function hashUnder(get, tree, page) {
  const paths = (await text(get(`/a/${tree}/files.txt`, 'default'))).trim().split('\n').map((line) => LINE.exec(line)?.[1]);
  if (paths.length > MAX_FILES) throw new RangeError('more than the client has');
  return hashOf(tree, await fetched(get, tree, paths.filter((path) => path !== undefined && path !== PAGE)), page);
}

/** @param {Get} get @param {string} tree @param {(string | undefined)[]} paths */
async function fetched(get, tree, paths) {
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  let bytes = 0;
  for (let from = 0; from < paths.length; from += AT_ONCE) {
    const some = paths.slice(from, from + AT_ONCE).map(async (path) => {
      const content = new Uint8Array(await (await answered(get(`/a/${tree}/${path}`, 'default'))).arrayBuffer());
      bytes += content.length;
      if (bytes > MAX_BYTES) throw new RangeError('more than the client has');
      files.set(path ?? '', content);
    });
    await Promise.all(some);
  }
  return files;
}

/** @param {Promise<Response>} asked */
async function text(asked) {
  return (await answered(asked)).text();
}

/** @param {Promise<Response>} asked */
async function answered(asked) {
  const response = await asked;
  if (!response.ok) throw new TypeError('no answer');
  return response;
}

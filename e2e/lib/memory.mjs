// What a process has in its memory: what a crash dump of it would have, too (core(5): its writable mappings). Linux; of one's own processes.

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

import { forms } from './canaries.mjs';

/** What is read at once. */
const PIECE_BYTES = 2 ** 24;
const PAGE_BYTES = 4_096;
/** A longer word would not be found where a piece ends. */
const MAX_WORD_BYTES = PAGE_BYTES;
const ZEROS = Buffer.alloc(PAGE_BYTES);
/** What no program writes to: the kernel's own pages. */
const OF_THE_KERNEL = /\[(vvar|vvar_vclock|vdso|vsyscall)\]$/;

/**
 * Which of these words stand in the memory of a process, in any form of `forms`.
 * @param {number} pid
 * @param {Record<string, string | Uint8Array>} words by name
 * @returns {{ found: string[], bytes: number }} their names, sorted, and how much was looked at
 */
export function wordsInMemory(pid, words) {
  const wanted = new Wanted(words);
  const found = new Set();
  let bytes = 0;
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { from, to } of writable(pid)) {
      for (let at = from; at < to; at += PIECE_BYTES - MAX_WORD_BYTES) {
        const piece = pieceOf(memory, at, Math.min(PIECE_BYTES, to - at));
        bytes += piece.length;
        for (const name of wanted.in(piece)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
  }
  return { found: [...found].sort(), bytes };
}

function writable(pid) {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n');
  const all = lines.filter((line) => line.split(' ')[1].startsWith('rw') && !OF_THE_KERNEL.test(line));
  return all.map((line) => {
    const [from, to] = line.split(' ')[0].split('-').map((hex) => Number.parseInt(hex, 16));
    return { from, to };
  });
}

/** As much as can be read: a page may have gone since its mapping was listed. */
function pieceOf(memory, at, length) {
  const piece = Buffer.allocUnsafe(length);
  let size = 0;
  try {
    let more;
    do {
      more = readSync(memory, piece, size, length - size, at + size);
      size += more;
    } while (more > 0 && size < length);
  } catch ({ code }) {
    if (code !== 'EIO' && code !== 'EFAULT') throw new Error(`memory cannot be read: ${code}`);
  }
  return piece.subarray(0, size);
}

/** Many words looked for at once: only where two bytes are the first two of one, the others are compared. */
class Wanted {
  #byStart = new Map();
  #isStart = new Uint8Array(2 ** 16);

  constructor(words) {
    for (const [name, word] of Object.entries(words)) {
      for (const shape of forms(word)) {
        if (shape.length > MAX_WORD_BYTES) throw new Error(`${name}: ${shape.length} bytes are too many to be found`);
        const start = shape.readUInt16LE(0);
        this.#isStart[start] = 1;
        this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), { name, shape }]);
      }
    }
  }

  *in(bytes) {
    for (let at = 0; at + 1 < bytes.length; at += 1) {
      // Most of it was never written to. Whatever begins with its last byte is looked at.
      if (at % PAGE_BYTES === 0 && this.#isStart[0] === 0 && ZEROS.equals(bytes.subarray(at, at + PAGE_BYTES))) at += PAGE_BYTES - 1;
      const start = bytes[at] | (bytes[at + 1] << 8);
      if (this.#isStart[start] === 0) continue;
      for (const { name, shape } of this.#byStart.get(start)) {
        if (at + shape.length <= bytes.length && shape.compare(bytes, at, at + shape.length) === 0) yield name;
      }
    }
  }
}

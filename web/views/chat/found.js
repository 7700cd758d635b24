/** What is shown of a found message: the part with the word that was searched for, and where in it the words begin. Pure. */

import { excerpt } from './row-facts.js';

/** What stands before the found word, so that it is in the line that is shown. */
const LEAD_LETTERS = 40;

/**
 * @param {string} text
 * @param {string} searched
 * @returns {{ text: string, found: boolean }[]}
 */
export function splitFound(text, searched) {
  const wanted = words(searched);
  const pieces = around(text, wanted[0] ?? '').split(/([\p{L}\p{N}]+)/u);
  return pieces.filter(Boolean).map((piece) => ({ text: piece, found: wanted.some((word) => folded(piece).startsWith(word)) }));
}

/** @param {string} text */
function folded(text) {
  return text.toLowerCase().replaceAll('ё', 'е');
}

/** The words that were searched for, the longest first. @param {string} searched */
function words(searched) {
  return folded(searched).split(/[^\p{L}\p{N}]+/u).filter(Boolean).sort((a, b) => b.length - a.length);
}

/**
 * @param {string} text
 * @param {string} word
 */
function around(text, word) {
  const line = text.replace(/\s+/g, ' ');
  const at = folded(line).indexOf(word);
  return at > LEAD_LETTERS ? `…${excerpt(line.slice(at - LEAD_LETTERS))}` : excerpt(line);
}

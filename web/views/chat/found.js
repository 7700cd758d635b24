/** What is shown of a found message: the part with the word that was searched for, and where in it the words begin. Words are those of the search itself. Pure. */

import { wordsOf } from '../../state/chat/words.js';
import { excerpt } from './row-facts.js';

/** What stands before the found word, so that it is in the line that is shown. */
const LEAD_LETTERS = 40;
const RUN = /([\p{L}\p{N}\p{M}_]+)/u;

/** @typedef {{ text: string, found: boolean }} Piece */

/**
 * One line of the text, with what was searched for in it.
 * @param {string} text
 * @param {string} searched
 * @returns {Piece[]}
 */
export function splitFound(text, searched) {
  const wanted = wordsOf(searched);
  const line = text.replace(/\s+/g, ' ');
  const pieces = marked(line, wanted);
  const first = pieces.findIndex(({ found }) => found);
  const at = pieces.slice(0, Math.max(0, first)).reduce((length, piece) => length + piece.text.length, 0);
  return marked(at > LEAD_LETTERS ? `…${excerpt(line.slice(at - LEAD_LETTERS))}` : excerpt(line), wanted);
}

/**
 * The whole text as it is, with what was searched for in it.
 * @param {string} text
 * @param {string} searched
 * @returns {Piece[]}
 */
export function splitMarked(text, searched) {
  return marked(text, wordsOf(searched));
}

/**
 * @param {string} text
 * @param {readonly string[]} wanted
 * @returns {Piece[]}
 */
function marked(text, wanted) {
  if (wanted.length === 0) return text === '' ? [] : [{ text, found: false }];
  return text.split(RUN).filter(Boolean).map((piece) => ({ text: piece, found: wordsOf(piece).some((word) => wanted.some((each) => word.startsWith(each))) }));
}

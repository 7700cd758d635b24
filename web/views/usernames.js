/** The names of people in a line that somebody typed. Pure. */

/**
 * Names as people write them: with commas or spaces between, perhaps with an @ before.
 * @param {string} text
 */
export function namesIn(text) {
  return [...new Set(text.split(/[\s,;]+/).map((name) => name.replace(/^@/, '')).filter(Boolean))];
}

/** Which numbers of a log are held, as `[first, last]` ranges: sorted, apart, both ends included. Pure; never changes what it is given. */

/** @typedef {readonly [number, number]} Range */

/**
 * @param {readonly Range[]} ranges
 * @param {Range} added
 * @returns {Range[]}
 */
export function withRange(ranges, [first, last]) {
  if (first > last) return [...ranges];
  const before = ranges.filter(([, end]) => end < first - 1);
  const after = ranges.filter(([start]) => start > last + 1);
  const joined = ranges.slice(before.length, ranges.length - after.length);
  return [...before, [Math.min(first, ...joined.map(([start]) => start)), Math.max(last, ...joined.map(([, end]) => end))], ...after];
}

/**
 * Without everything below `first`.
 * @param {readonly Range[]} ranges
 * @param {number} first
 * @returns {Range[]}
 */
export function withoutBelow(ranges, first) {
  return ranges.filter(([, end]) => end >= first).map(([start, end]) => [Math.max(start, first), end]);
}

/**
 * The range that has `seq`.
 * @param {readonly Range[]} ranges
 * @param {number} seq
 * @returns {Range | null}
 */
export function rangeWith(ranges, seq) {
  return ranges.find(([start, end]) => start <= seq && seq <= end) ?? null;
}

/** The newest number held; 0 for none. @param {readonly Range[]} ranges */
export function topOf(ranges) {
  return ranges.at(-1)?.[1] ?? 0;
}

/** @param {readonly Range[]} ranges */
export function countOf(ranges) {
  return ranges.reduce((sum, [start, end]) => sum + end - start + 1, 0);
}

/**
 * The newest numbers between `first` and the top that are not held.
 * @param {readonly Range[]} ranges
 * @param {number} first
 * @returns {Range | null}
 */
export function newestGap(ranges, first) {
  const top = ranges.at(-1);
  if (top === undefined || top[0] <= first) return null;
  return [Math.max(first, (ranges.at(-2)?.[1] ?? 0) + 1), top[0] - 1];
}

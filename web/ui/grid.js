/**
 * Where the tiles of a call go: the arrangement that uses the window best. Pure geometry, in CSS pixels.
 *
 * Tiles may be as tall as an upright phone needs and never wider than a camera's picture. With a spotlight (a shared screen or a pinned
 * person) the first tile takes most of the room and the others line up beside or under it.
 */

/** @typedef {{ left: number, top: number, width: number, height: number }} Rect */

/**
 * @typedef {object} Arrangement
 * @property {Rect[]} tiles one for each that fits, the most important first
 * @property {Rect | null} more where the number of the hidden goes, when there are any
 */

/** @type {Arrangement} */
const NOTHING = { tiles: [], more: null };

export const GAP = 8;
const WIDEST = 16 / 9;
/** Upright on a phone; no more than square elsewhere, since most cameras are wide. */
const TALLEST = { upright: 3 / 4, wide: 1 };
/** A face is still a face at this width; smaller tiles are not drawn but counted. */
const MIN_TILE_WIDTH = 104;
const MIN_TILE_HEIGHT = 78;
/** "+12 more" at the end of a strip: a line under it, a narrow tile beside it. */
const MORE_HEIGHT = 32;
const MORE_WIDTH = 56;

/**
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @returns {Arrangement}
 */
export function grid(count, width, height) {
  if (count <= 0 || width <= 0 || height <= 0) return NOTHING;
  const shown = Math.min(count, capacity(width, height));
  let best = cell(1, shown, width, height);
  for (let columns = 2; columns <= shown; columns += 1) {
    const candidate = cell(columns, shown, width, height);
    if (candidate.width * candidate.height > best.width * best.height) best = candidate;
  }
  const tiles = place(best, shown, width, height);
  // One more is hidden where there is a tile to spare, so that the number of the hidden stands among the others.
  const more = shown < count && shown > 1 ? (tiles.pop() ?? null) : null;
  return { tiles, more };
}

/**
 * The first tile large, the others in a strip that begins at its edge and ends with the number of those who found no place in it.
 * @param {number} count including the first
 * @param {number} width
 * @param {number} height
 * @returns {Arrangement}
 */
export function spotlight(count, width, height) {
  if (count <= 0 || width <= 0 || height <= 0) return NOTHING;
  if (count === 1) return { tiles: [{ left: 0, top: 0, width, height }], more: null };
  return width > height * 1.2 ? stripBeside(count - 1, width, height) : stripUnder(count - 1, width, height);
}

/**
 * @param {number} others
 * @param {number} width
 * @param {number} height
 * @returns {Arrangement}
 */
function stripBeside(others, width, height) {
  const strip = Math.round(clamp(width * 0.2, 120, 260));
  const left = width - strip;
  const main = { left: 0, top: 0, width: left - GAP, height };
  const half = Math.floor((strip - GAP) / 2);
  const lanes = others > inLine(Math.round(strip / WIDEST), height) && half >= MIN_TILE_WIDTH ? 2 : 1;
  const tile = { width: lanes === 2 ? half : strip, height: Math.round((lanes === 2 ? half : strip) / WIDEST) };
  const all = others <= inLine(tile.height, height) * lanes;
  const fit = all ? others : inLine(tile.height, height - MORE_HEIGHT - GAP) * lanes;
  const tiles = Array.from({ length: Math.min(others, fit) }, (_, index) => ({
    left: left + (index % lanes) * (half + GAP),
    top: Math.floor(index / lanes) * (tile.height + GAP),
    ...tile,
  }));
  const end = Math.ceil(tiles.length / lanes) * (tile.height + GAP);
  return { tiles: [main, ...tiles], more: all ? null : { left, top: end, width: strip, height: MORE_HEIGHT } };
}

/**
 * @param {number} others
 * @param {number} width
 * @param {number} height
 * @returns {Arrangement}
 */
function stripUnder(others, width, height) {
  const strip = Math.round(clamp(height * 0.2, 84, 150));
  const top = height - strip;
  const main = { left: 0, top: 0, width, height: top - GAP };
  const widest = Math.round(strip * 1.2);
  const all = others <= inLine(Math.min(widest, thirdOf(width)), width);
  const length = all ? width : width - MORE_WIDTH - GAP;
  const tile = { width: Math.min(widest, thirdOf(length)), height: strip };
  const fit = Math.min(others, inLine(tile.width, length));
  const used = fit * (tile.width + GAP) + (all ? -GAP : MORE_WIDTH);
  const start = Math.max(0, Math.floor((width - used) / 2));
  const tiles = Array.from({ length: fit }, (_, index) => ({ left: start + index * (tile.width + GAP), top, ...tile }));
  return { tiles: [main, ...tiles], more: all ? null : { left: start + fit * (tile.width + GAP), top, width: MORE_WIDTH, height: strip } };
}

/**
 * How many of this size stand in a line, at least one.
 * @param {number} size
 * @param {number} length
 */
function inLine(size, length) {
  return Math.max(1, Math.floor((length + GAP) / (size + GAP)));
}

/** Three faces fit beside each other even on the narrowest phone. @param {number} length */
function thirdOf(length) {
  return Math.floor((length - 2 * GAP) / 3);
}

/**
 * @param {number} width
 * @param {number} height
 */
function capacity(width, height) {
  const columns = Math.max(1, Math.floor((width + GAP) / (MIN_TILE_WIDTH + GAP)));
  const rows = Math.max(1, Math.floor((height + GAP) / (MIN_TILE_HEIGHT + GAP)));
  return columns * rows;
}

/**
 * @param {number} columns
 * @param {number} count
 * @param {number} width
 * @param {number} height
 */
function cell(columns, count, width, height) {
  const rows = Math.ceil(count / columns);
  const free = { width: (width - GAP * (columns - 1)) / columns, height: (height - GAP * (rows - 1)) / rows };
  const tallest = width > height ? TALLEST.wide : TALLEST.upright;
  if (free.width > free.height * WIDEST) free.width = free.height * WIDEST;
  else if (free.width < free.height * tallest) free.height = free.width / tallest;
  return { columns, rows, width: Math.max(1, free.width), height: Math.max(1, free.height) };
}

/**
 * Rows centred, the last one too.
 * @param {{ columns: number, rows: number, width: number, height: number }} shape
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @returns {Rect[]}
 */
function place(shape, count, width, height) {
  const top = (height - (shape.rows * (shape.height + GAP) - GAP)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / shape.columns);
    const inRow = Math.min(shape.columns, count - row * shape.columns);
    const left = (width - (inRow * (shape.width + GAP) - GAP)) / 2;
    return {
      left: Math.round(left + (index % shape.columns) * (shape.width + GAP)),
      top: Math.round(top + row * (shape.height + GAP)),
      width: Math.floor(shape.width),
      height: Math.floor(shape.height),
    };
  });
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

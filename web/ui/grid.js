/**
 * Where the tiles of a call go: the arrangement that uses the window best. Pure geometry, in CSS pixels.
 *
 * Tiles may be as tall as an upright phone needs and never wider than a camera's picture. With a spotlight (a shared screen or a pinned
 * person) the first tile takes most of the room and the others line up beside or under it.
 */

/** @typedef {{ left: number, top: number, width: number, height: number }} Rect */

export const GAP = 8;
const WIDEST = 16 / 9;
/** Upright on a phone; no more than square elsewhere, since most cameras are wide. */
const TALLEST = { upright: 3 / 4, wide: 1 };
/** A face is still a face at this width; smaller tiles are not drawn but counted. */
const MIN_TILE_WIDTH = 104;
const MIN_TILE_HEIGHT = 78;

/**
 * @param {number} count
 * @param {number} width
 * @param {number} height
 * @returns {Rect[]} one for each tile that fits, at most `count`
 */
export function grid(count, width, height) {
  if (count <= 0 || width <= 0 || height <= 0) return [];
  const shown = Math.min(count, capacity(width, height));
  let best = cell(1, shown, width, height);
  for (let columns = 2; columns <= shown; columns += 1) {
    const candidate = cell(columns, shown, width, height);
    if (candidate.width * candidate.height > best.width * best.height) best = candidate;
  }
  return place(best, shown, width, height);
}

/**
 * The first tile large, the others in a strip.
 * @param {number} count including the first
 * @param {number} width
 * @param {number} height
 * @returns {Rect[]}
 */
export function spotlight(count, width, height) {
  if (count <= 0 || width <= 0 || height <= 0) return [];
  if (count === 1) return [{ left: 0, top: 0, width, height }];
  const beside = width > height * 1.2;
  const strip = beside ? Math.round(clamp(width * 0.2, 120, 260)) : Math.round(clamp(height * 0.2, 84, 150));
  const main = beside ? { left: 0, top: 0, width: width - strip - GAP, height } : { left: 0, top: 0, width, height: height - strip - GAP };
  const length = beside ? height : width;
  const tile = beside ? { width: strip, height: Math.round(strip / WIDEST) } : { width: Math.floor(Math.min(strip * 1.2, (width - 2 * GAP) / 3)), height: strip };
  const inLine = (/** @type {number} */ size) => Math.max(1, Math.floor((length + GAP) / (size + GAP)));
  const half = Math.floor((strip - GAP) / 2);
  const lanes = beside && count - 1 > inLine(tile.height) && half >= MIN_TILE_WIDTH ? 2 : 1;
  if (lanes === 2) Object.assign(tile, { width: half, height: Math.round(half / WIDEST) });
  const each = (beside ? tile.height : tile.width) + GAP;
  const fit = Math.min(count - 1, inLine(each - GAP) * lanes);
  const start = Math.max(0, Math.round((length - (Math.ceil(fit / lanes) * each - GAP)) / 2));
  const others = Array.from({ length: fit }, (_, index) => ({
    left: beside ? width - strip + (index % lanes) * (half + GAP) : start + index * each,
    top: beside ? start + Math.floor(index / lanes) * each : height - strip,
    ...tile,
  }));
  return [main, ...others];
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

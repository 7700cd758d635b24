/**
 * Heights of a long list's rows, and where each begins, in O(log n): a Fenwick tree over measured heights, with an estimate for those
 * nobody has looked at yet. Pure; `windowed-list.js` measures and asks.
 */

export class Heights {
  #estimate;
  #heights = new Float64Array(0);
  #tree = new Float64Array(1);
  #length = 0;

  /** @param {number} estimate pixels of a row not measured yet */
  constructor(estimate) {
    this.#estimate = estimate;
  }

  /** What rows are thought to be that come from now on. @param {number} pixels */
  set estimate(pixels) {
    this.#estimate = pixels;
  }

  get length() {
    return this.#length;
  }

  get total() {
    return this.offset(this.#length);
  }

  /**
   * The list has another length: rows came or went before the first (`before` of them) and at the end.
   * @param {number} length
   * @param {number} before negative when rows went
   */
  resize(length, before) {
    if (before === 0 && length > this.#length && length < this.#heights.length) return this.#grow(length);
    // Room to grow, so that a message more does not copy everything.
    const heights = new Float64Array(Math.ceil(length * 1.25) + 64).fill(this.#estimate);
    const from = Math.max(0, -before);
    const kept = Math.max(0, Math.min(this.#length - from, length - Math.max(0, before)));
    heights.set(this.#heights.subarray(from, from + kept), Math.max(0, before));
    this.#heights = heights;
    this.#length = length;
    this.#rebuild();
  }

  /** @param {number} length */
  #grow(length) {
    for (let index = this.#length; index < length; index += 1) this.#heights[index] = this.#estimate;
    this.#length = length;
    this.#rebuild();
  }

  #rebuild() {
    const size = this.#length;
    const tree = new Float64Array(this.#heights.length + 1);
    for (let index = 1; index <= size; index += 1) {
      tree[index] = (tree[index] ?? 0) + (this.#heights[index - 1] ?? 0);
      const parent = index + (index & -index);
      if (parent <= size) tree[parent] = (tree[parent] ?? 0) + (tree[index] ?? 0);
    }
    this.#tree = tree;
  }

  /** @param {number} index */
  get(index) {
    return this.#heights[index] ?? this.#estimate;
  }

  /**
   * @param {number} index
   * @param {number} height
   * @returns {number} by how much the row is higher than was thought
   */
  set(index, height) {
    const delta = height - this.get(index);
    if (delta === 0 || index >= this.#length) return 0;
    this.#heights[index] = height;
    for (let at = index + 1; at <= this.#length; at += at & -at) this.#tree[at] = (this.#tree[at] ?? 0) + delta;
    return delta;
  }

  /**
   * @param {number} index
   * @returns {number} pixels above this row
   */
  offset(index) {
    let sum = 0;
    for (let at = Math.min(index, this.#length); at > 0; at -= at & -at) sum += this.#tree[at] ?? 0;
    return sum;
  }

  /**
   * @param {number} y
   * @returns {number} the row at this many pixels; the last one below the end
   */
  indexAt(y) {
    let index = 0;
    let rest = y;
    for (let step = 2 ** Math.floor(Math.log2(Math.max(1, this.#length))); step >= 1; step /= 2) {
      const next = index + step;
      const here = this.#tree[next] ?? 0;
      if (next <= this.#length && here <= rest) {
        index = next;
        rest -= here;
      }
    }
    return Math.max(0, Math.min(index, this.#length - 1));
  }
}

/** What this browser remembers over a reload, as words in localStorage, the same for all of its windows; where that is refused, as long as the page. */

/** Far more than a person has. */
export const MAX_REMEMBERED = 4_000;

/** @typedef {Pick<Storage, 'getItem' | 'setItem'> | null} Kept */

/** Things of which something was true once. */
export class Remembered {
  #key;
  #storage;
  #forgets;
  /** @type {Set<string>} */
  #all;
  /** What is here is what is stored. */
  #isStored = true;

  /**
   * @param {string} key
   * @param {Kept} storage
   * @param {{ forgets?: boolean }} [how] whether they are ever dropped: then what is stored counts, and no window brings back what another dropped
   */
  constructor(key, storage, { forgets = false } = {}) {
    this.#key = key;
    this.#storage = storage;
    this.#forgets = forgets;
    this.#all = new Set(read(storage, key));
  }

  /** The others of those that are `one other`, in the order in which they came. @param {string} one @returns {string[]} */
  of(one) {
    this.readAgain();
    const start = `${one} `;
    return [...this.#all].filter((each) => each.startsWith(start)).map((each) => each.slice(start.length));
  }

  /** When it is full everything counts: a server that invents some can take nothing away by that. @param {string} one */
  has(one) {
    return this.#all.has(one) || this.isFull;
  }

  /** Nothing more is remembered. */
  get isFull() {
    return this.#all.size >= MAX_REMEMBERED;
  }

  /** As they are now. @returns {ReadonlySet<string>} */
  copy() {
    return new Set(this.#all);
  }

  /** Another window may have seen more. */
  readAgain() {
    const stored = read(this.#storage, this.#key);
    const isTruth = this.#forgets && this.#storage !== null && this.#isStored;
    this.#all = new Set((isTruth ? stored : [...this.#all, ...stored]).slice(0, MAX_REMEMBERED));
  }

  /** @param {readonly string[]} all */
  add(...all) {
    if (!this.#forgets && all.every((one) => this.has(one))) return;
    this.readAgain();
    const before = this.#all.size;
    for (const one of all) if (!this.has(one)) this.#all.add(one);
    if (this.#all.size > before) this.#keep();
  }

  /** @param {string} one */
  drop(one) {
    this.readAgain();
    if (this.#all.delete(one)) this.#keep();
  }

  /** All of them. */
  clear() {
    if (this.#all.size === 0 && read(this.#storage, this.#key).length === 0) return;
    this.#all.clear();
    this.#keep();
  }

  #keep() {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify([...this.#all]));
      this.#isStored = true;
    } catch {
      this.#isStored = false;
    }
  }
}

/** @param {Pick<Storage, 'getItem'> | null} storage @param {string} key @returns {string[]} */
function read(storage, key) {
  try {
    const kept = JSON.parse(storage?.getItem(key) ?? '[]');
    return Array.isArray(kept) ? kept.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}

/** A name that one window of this browser holds at a time (Web Locks API). A browser without locks lets all have it. */

/** How often it is tried, and how long after one another: this window's own hold before may be ending. */
const MAX_TRIES = 5;
const AGAIN_MS = 200;

/** Another window has it. */
class HeldElsewhere extends Error {
  code = 'in_call_elsewhere';
}

export class OnlyWindow {
  #released = false;
  #letGo = () => {};
  /** Settles once it is known; rejects with `in_call_elsewhere`. @type {Promise<void>} */
  held;

  /** @param {string} name */
  constructor(name) {
    this.held = this.#hold(name);
    this.held.catch(() => {});
  }

  /** Others may have it from now on. */
  release() {
    this.#released = true;
    this.#letGo();
  }

  /** @param {string} name */
  async #hold(name) {
    const locks = browserLocks();
    if (!locks) return;
    for (let tries = 0; tries < MAX_TRIES && !this.#released; tries += 1) {
      const letGo = await holdOf(locks, name);
      if (letGo !== null) {
        this.#letGo = letGo;
        return this.#released ? letGo() : undefined;
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
    throw new HeldElsewhere();
  }
}

/** Whether no window holds it just now. @param {string} name */
export async function isFree(name) {
  const { held = [] } = (await browserLocks()?.query()) ?? {};
  return !held.some((lock) => lock.name === name);
}

/** @returns {LockManager | undefined} */
function browserLocks() {
  return /** @type {{ locks?: LockManager }} */ (globalThis.navigator).locks;
}

/** @param {LockManager} locks @param {string} name @returns {Promise<(() => void) | null>} null: another holds it */
function holdOf(locks, name) {
  return new Promise((resolve) => {
    /** @param {Lock | null} lock */
    const hold = (lock) => {
      if (lock === null) return resolve(null);
      return new Promise((release) => resolve(() => release(undefined)));
    };
    void locks.request(name, { ifAvailable: true }, hold);
  });
}

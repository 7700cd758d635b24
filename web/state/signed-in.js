/**
 * Who signed in last in this browser, in whichever window. A window that learns late that its own session is over (it slept) finds out here whether somebody has
 * signed in since, whose local copies are not its to delete. Each sign-in has a mark of its own, so that the same user who came back is told from the one who
 * left. Lives in localStorage; where that is refused, as long as the page.
 */

const KEY = 'webcall.signed-in';

export class SignedIn {
  #storage;
  /** In place of what is stored, where nothing is. @type {string | null} */
  #unstored = null;
  /** Of the sign-in that this window has, or had last. @type {string | null} */
  #own = null;

  /** @param {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** Who has signed in since this window did, and has not left: what is theirs stays. Found out anew each time. @returns {string | null} */
  get since() {
    const mark = this.#read();
    return mark === this.#own ? null : userOf(mark);
  }

  /** It is about to be found out whether the last sign-in still counts: this window has it until then. */
  resume() {
    this.#own = this.#read();
  }

  /** The last sign-in is this user's. @param {string} user */
  resumed(user) {
    if (userOf(this.#read()) === user) this.resume();
    else this.entered(user);
  }

  /** Somebody signed in here. @param {string} user */
  entered(user) {
    this.#own = `${user} ${crypto.randomUUID()}`;
    this.#write(this.#own);
  }

  /** In another window: the server says so. @param {string} user */
  enteredElsewhere(user) {
    if (userOf(this.#read()) !== user) this.#write(`${user} ${crypto.randomUUID()}`);
  }

  /** This user leaves the browser, whichever window they signed in. @param {string} user */
  left(user) {
    if (userOf(this.#read()) === user) this.#write(null);
  }

  /** @returns {string | null} */
  #read() {
    try {
      return this.#storage === null ? this.#unstored : this.#storage.getItem(KEY);
    } catch {
      return this.#unstored;
    }
  }

  /** @param {string | null} mark */
  #write(mark) {
    this.#unstored = mark;
    try {
      if (mark === null) this.#storage?.removeItem(KEY);
      else this.#storage?.setItem(KEY, mark);
    } catch {
      // Full or forbidden: remembered as long as the page.
    }
  }
}

/** @param {string | null} mark */
function userOf(mark) {
  return mark?.split(' ')[0] ?? null;
}

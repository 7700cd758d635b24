/** Tells the server how large each feed is shown: soon after the layout changed, and only when it did. */

/** @import { Wish } from '../protocol.js' */

/** A resize makes many layouts; one message for all of them. */
const QUIET_MS = 100;
/** The server takes no more. */
const MAX_WISHES = 400;

export class Wishes {
  #send;
  /** @type {Wish[]} */
  #wishes = [];
  #sent = '';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {(wishes: Wish[]) => Promise<unknown>} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {Wish[]} wishes */
  set(wishes) {
    this.#wishes = wishes.slice(0, MAX_WISHES);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), QUIET_MS);
  }

  /** The server has forgotten, or may not have heard. */
  again() {
    this.#sent = '';
    this.set(this.#wishes);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#sent = '';
    this.#wishes = [];
  }

  #flush() {
    const text = JSON.stringify(this.#wishes);
    if (text === this.#sent) return;
    this.#sent = text;
    this.#send(this.#wishes).catch(() => {
      if (this.#sent === text) this.#sent = '';
    });
  }
}

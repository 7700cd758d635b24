// One face over a page of either browser, so that a spec runs the same in both and in calls that mix them.
//
// A driver gives `goto`, `reload`, `evaluateSource`, `press`, `findNamed`, `pressFound`, `wheel`, `key`, `type`, `chooseFiles`,
// `download`, `screenshot` (of the window, the pointer out of the way), `resize` and `close`; everything a spec uses is built on
// those here. Elements are found by role and name, as a screen reader says them, or by the page's stable names: `data-action` for
// what can be pressed, `name` for what can be filled.
// Nothing sleeps for a fixed time: every wait names what it waits for and has a bound.

import { installProbes } from '../inpage/probes.mjs';
import { installShields } from '../inpage/shields.mjs';
import { installSyntheticMedia } from '../inpage/synthetic.mjs';

/** How long a wait lasts before it fails, unless told. Generous: the machine may be building something else. */
export const BOUND_MS = 45_000;
/** How long after a question it is asked again: at first soon, for most is there at once. */
const FIRST_POLL_MS = 5;
const POLL_MS = 50;
/** For an answer of the page: longer than any takes that comes. What never comes is to fail one test, and not to hold up all that follow. */
const ANSWER_BOUND_MS = 180_000;

/** The text that a driver installs before the page's own scripts. */
export function preload(media) {
  return `(${installSyntheticMedia})(${JSON.stringify(media)}); (${installProbes})(); (${installShields})();`;
}

export class Page {
  /** @param {string} label names the page in messages */
  constructor(label, media, language = 'en') {
    this.label = label;
    this.media = media;
    this.language = language;
    /** What the page wrote to its console and every error nobody caught. */
    this.console = [];
    this.errors = [];
  }

  /** Runs a self-contained function in the page with arguments that JSON can carry, and gives what it returns. */
  evaluate(fn, ...args) {
    return this.#answered(this.evaluateSource(`(${fn})(...${JSON.stringify(args)})`));
  }

  #answered(asked) {
    let timer;
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${this.label}: no answer of the page in ${ANSWER_BOUND_MS} ms`)), ANSWER_BOUND_MS)));
    return Promise.race([asked, late]).finally(() => clearTimeout(timer));
  }

  /** Waits until a function run in the page returns something truthy, and gives it. */
  waitFor(what, fn, args = [], bound_ms = BOUND_MS) {
    return this.until(what, () => this.evaluate(fn, ...args), bound_ms);
  }

  /** Waits until what is asked here answers something truthy, and gives it. */
  async until(what, ask, bound_ms = BOUND_MS) {
    const end_ms = Date.now() + bound_ms;
    for (let pause_ms = FIRST_POLL_MS; ; pause_ms = Math.min(2 * pause_ms, POLL_MS)) {
      const value = await ask().catch((error) => ifNavigating(error));
      if (value) return value;
      if (Date.now() > end_ms) throw new Error(`${this.label}: waited ${bound_ms} ms for ${what}\n${await this.situation()}`);
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
  }

  /** Waits for what has this role and exactly this name, as a screen reader says them; `within` is a selector. */
  seeNamed(role, name, within = 'body') {
    return this.until(`${role} "${name}" in ${within}`, () => this.findNamed(role, name, within));
  }

  /** Presses it with the pointer, once it is there and enabled. What was drawn anew before it could be pressed is looked for again. */
  async pressNamed(role, name, within = 'body') {
    await this.until(`${role} "${name}" in ${within} to be pressed`, async () => {
      const found = await this.findNamed(role, name, within);
      return found !== null && this.pressFound(found);
    });
  }

  /** Waits for an element, by selector. */
  see(selector, bound_ms = BOUND_MS) {
    return this.waitFor(selector, (wanted) => document.querySelector(wanted) !== null, [selector], bound_ms);
  }

  /** Waits until a selector matches nothing any more. */
  seeGone(selector, bound_ms = BOUND_MS) {
    return this.waitFor(`no ${selector}`, (wanted) => document.querySelector(wanted) === null, [selector], bound_ms);
  }

  /** Presses the button or link with this `data-action`, as a pointer would, once it is there and enabled. */
  async click(action, within = '') {
    const selector = `${within} [data-action="${action}"]`.trim();
    await this.waitFor(
      `${selector} to be pressable`,
      (wanted) => {
        const element = document.querySelector(wanted);
        return element !== null && !element.disabled && element.getBoundingClientRect().width > 0;
      },
      [selector],
    );
    await this.press(selector);
  }

  /** Types into the field with this `name`. */
  async fill(name, text) {
    await this.see(`[name="${name}"]`);
    await this.evaluate(
      (wanted, value) => {
        const field = document.querySelector(`[name="${wanted}"]`);
        field.focus();
        const prototype = field instanceof HTMLTextAreaElement ? HTMLTextAreaElement.prototype : HTMLInputElement.prototype;
        Object.getOwnPropertyDescriptor(prototype, 'value').set.call(field, value);
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));
      },
      name,
      text,
    );
  }

  /** Chooses an option of the select with this `name`. */
  async choose(name, value) {
    await this.see(`select[name="${name}"]`);
    await this.evaluate(
      (wanted, option) => {
        const field = document.querySelector(`select[name="${wanted}"]`);
        field.value = option;
        if (field.value !== option) throw new Error(`no option ${option} in ${[...field.options].map((each) => each.value)}`);
        field.dispatchEvent(new Event('input', { bubbles: true }));
        field.dispatchEvent(new Event('change', { bubbles: true }));
      },
      name,
      value,
    );
  }

  /** What a person in front of the page would report, for the message of a failed wait. */
  async situation() {
    const seen = await this.evaluate(async () => ({
      address: location.pathname,
      page: document.querySelector('[data-page]')?.dataset.page,
      connection: document.querySelector('[data-connection]')?.dataset.connection,
      tiles: window.webcallTest?.tiles?.(),
      transports: window.webcallTest?.connections?.map((each) => `${each.connectionState}/${each.iceConnectionState}`),
      flows: await window.webcallTest?.flows?.(),
      text: document.body?.innerText?.slice(0, 600),
    })).catch((error) => String(error));
    return JSON.stringify({ seen, console: this.console.slice(-15), errors: this.errors.slice(-5) }, null, 1);
  }

  /** What the page shows, in a line. */
  async glance() {
    const seen = await this.evaluate(() => ({
      page: document.querySelector('[data-page]')?.dataset.page,
      connection: document.querySelector('[data-connection]')?.dataset.connection,
      names: window.webcallTest?.tiles?.().map(({ username }) => username).join(' '),
      text: document.body?.innerText?.slice(-200),
    })).catch((error) => String(error));
    return JSON.stringify({ seen, console: this.console.slice(-3), errors: this.errors.slice(-2) });
  }

  /** What no page may do: throw uncaught, or try what its content policy forbids. */
  async complaints() {
    const violations = await this.evaluate(() => window.webcallTest?.violations ?? []).catch(() => []);
    return [...this.errors, ...violations].map((line) => `${this.label}: ${line}`);
  }
}

// A page on its way to another address has nothing to evaluate in; that is not a failure, the wait goes on.
function ifNavigating(error) {
  const passing = /context was destroyed|navigation|no such frame|no such window|Cannot find context|DiscardedBrowsingContext/i;
  if (passing.test(String(error))) return null;
  throw error;
}

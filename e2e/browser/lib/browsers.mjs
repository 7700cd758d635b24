// The browsers of a spec. Starting one takes longer than many a test, so the tests of a file share them: every page has cookies, storage
// and a window of its own. They end with the last party, unless another one follows at once.

import { launchChromium } from './chromium.mjs';
import { launchFirefox } from './firefox.mjs';

const LAUNCH = { chromium: launchChromium, firefox: launchFirefox };
/** The next test of a file begins in the moment in which the one before it ends. */
const NEXT_TEST_MS = 50;

/** Launching or running, by engine. */
const running = new Map();
let users = 0;
let ending = null;

/** Keeps the browsers until `releaseBrowsers`. */
export function keepBrowsers() {
  clearTimeout(ending);
  users += 1;
}

/** Nobody of this party needs them any more. */
export function releaseBrowsers() {
  users -= 1;
  if (users === 0) ending = setTimeout(endAll, NEXT_TEST_MS);
}

/** The running browser of this engine, started on first use. */
export function sharedBrowser(engine) {
  if (!running.has(engine)) running.set(engine, LAUNCH[engine]());
  return running.get(engine);
}

/** A browser that trusts an authority of a test, or is otherwise not for everybody. */
export function ownBrowser(engine, options) {
  return LAUNCH[engine](options);
}

async function endAll() {
  const all = [...running.values()];
  running.clear();
  for (const browser of all) await (await browser).close();
}

/** A browser's and a system's name out of a User-Agent, for the list of sessions. Pure; unknown ones give null. */

/** In this order: later names also appear in the earlier ones' strings. @type {[string, RegExp][]} */
const BROWSERS = [
  ['Edge', /\bEdgA?\//],
  ['Opera', /\bOPR\//],
  ['Firefox', /\b(?:Firefox|FxiOS)\//],
  ['Chrome', /\b(?:Chrome|Chromium|CriOS|HeadlessChrome)\//],
  ['Safari', /\bSafari\//],
];
/** @type {[string, RegExp][]} */
const SYSTEMS = [
  ['Android', /Android/],
  ['iOS', /iPhone|iPad/],
  ['Windows', /Windows/],
  ['macOS', /Mac OS X/],
  ['ChromeOS', /CrOS/],
  ['Linux', /Linux|X11/],
];

/**
 * @param {string} userAgent
 * @returns {{ browser: string, system: string } | null}
 */
export function browserName(userAgent) {
  const browser = BROWSERS.find(([, pattern]) => pattern.test(userAgent))?.[0];
  const system = SYSTEMS.find(([, pattern]) => pattern.test(userAgent))?.[0];
  return browser && system ? { browser, system } : null;
}

/**
 * Name, version and system in the letters that a report may have.
 * @param {string} userAgent
 * @returns {string}
 */
export function browserLabel(userAgent) {
  const name = browserName(userAgent);
  if (name === null) return 'unknown browser';
  const pattern = BROWSERS.find(([browser]) => browser === name.browser)?.[1];
  // Safari says its version elsewhere.
  const version = new RegExp(name.browser === 'Safari' ? 'Version/(\\d{1,5})' : `${pattern?.source}(\\d{1,5})`).exec(userAgent)?.[1];
  return [name.browser, version, `(${name.system})`].filter((part) => part !== undefined).join(' ');
}

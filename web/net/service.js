/**
 * The page's end of the service worker: registers it, asks it now and then to look at the client's code, and hears from it. A browser without service workers,
 * or without modules in them, shows no notices and notices no change of code, and lacks nothing else.
 */

/** The one address that does not change with the client's files. */
const SERVICE = '/sw.js';
/** Nothing of it is to be in the way of what somebody waits for when the page starts. */
const BEGIN_AFTER_MS = 2_000;
const LOOK_AFTER_MS = 15_000;

/** @typedef {{ createScriptURL: (url: string) => string }} Policy */
/** @typedef {'nothing' | 'changed' | 'alarm'} News */

/** Says `looked` {news} after a look at the client's code. */
export class Service extends EventTarget {
  #container = 'serviceWorker' in navigator ? navigator.serviceWorker : null;

  /** @param {(path: string) => void} go shows a room that a notice led to */
  begin(go) {
    this.#container?.addEventListener('message', ({ data }) => {
      if (data?.type === 'open' && typeof data.path === 'string') go(data.path);
      if (data?.type === 'looked') this.dispatchEvent(new CustomEvent('looked', { detail: { news: /** @type {News} */ (data.news) } }));
    });
    setTimeout(() => void this.#register(), BEGIN_AFTER_MS);
    setTimeout(() => this.#ask(false), LOOK_AFTER_MS);
  }

  /** The person wants to know now. False: there is no service worker here. */
  look() {
    return this.#ask(true);
  }

  async #register() {
    const types = /** @type {{ trustedTypes?: { createPolicy: (name: string, rules: Policy) => Policy } }} */ (globalThis).trustedTypes;
    const policy = types?.createPolicy('webcall-service', { createScriptURL: onlyTheService }) ?? { createScriptURL: onlyTheService };
    await this.#container?.register(policy.createScriptURL(SERVICE), { scope: '/', type: 'module', updateViaCache: 'none' }).catch(() => {});
  }

  /** @param {boolean} isWanted */
  #ask(isWanted) {
    const worker = this.#container?.controller ?? null;
    worker?.postMessage({ type: 'look', isWanted });
    return worker !== null;
  }
}

/** @param {string} url */
function onlyTheService(url) {
  if (url !== SERVICE) throw new TypeError('not the service worker');
  return url;
}

/**
 * From the address to the page. Draws a page, ends the one before, moves the focus, and sends people who are not signed in to the log-in
 * page and back again.
 */

/** @import { App, Page } from './page.js' */

import { announce } from '../ui/announce.js';
import { closeDialogs } from '../ui/dialog.js';
import { listen } from '../ui/dom.js';
import { promisedIn } from '../state/rooms.js';
import { diagnosticsPage } from './diagnostics.js';
import { joinPage } from './join.js';
import { loginPage } from './login.js';
import { firstFocus } from './page.js';
import { notFoundPage, unreachablePage, waitingPage } from './plain.js';
import { registerPage } from './register.js';
import { roomPage } from './room.js';
import { roomsPage } from './rooms.js';
import { settingsPage } from './settings.js';

/** @typedef {{ path: RegExp, page: Page, who: 'anybody' | 'signed-in' }} Route */

/** @type {readonly Route[]} */
const ROUTES = [
  { path: /^\/$/, page: roomsPage, who: 'signed-in' },
  { path: /^\/login$/, page: loginPage, who: 'anybody' },
  { path: /^\/register$/, page: registerPage, who: 'anybody' },
  { path: /^\/rooms\/([\w-]+)$/, page: roomPage, who: 'signed-in' },
  { path: /^\/join\/([\w-]+)$/, page: joinPage, who: 'signed-in' },
  { path: /^\/settings$/, page: settingsPage, who: 'signed-in' },
  { path: /^\/diagnostics$/, page: diagnosticsPage, who: 'signed-in' },
];

export class Router {
  #app;
  #root;
  #leaving = new AbortController();
  #first = true;

  /**
   * @param {App} app
   * @param {HTMLElement} root
   */
  constructor(app, root) {
    this.#app = app;
    this.#root = root;
    const forever = new AbortController().signal;
    window.addEventListener('popstate', () => this.draw());
    document.addEventListener('click', (event) => this.#followLink(event));
    listen(app.session, 'change', () => this.draw(), forever);
  }

  /** @param {string} path */
  go(path) {
    if (path !== location.pathname + location.search) history.pushState(null, '', path);
    this.draw();
  }

  /** Draw the page of the present address. */
  draw() {
    const { page, parameters } = this.#choose();
    this.#leaving.abort();
    this.#leaving = new AbortController();
    closeDialogs();
    const { title, element } = page(this.#app, parameters, this.#leaving.signal);
    document.title = title === 'WebCall' ? title : `${title} · WebCall`;
    this.#root.replaceChildren(element);
    scrollTo(0, 0);
    const focus = firstFocus(element);
    if (!this.#first || focus?.matches('input')) focus?.focus({ preventScroll: true });
    if (!this.#first) announce(title);
    this.#first = false;
  }

  /** @returns {{ page: Page, parameters: string[] }} */
  #choose() {
    const { status } = this.#app.session;
    if (status === 'unknown') return { page: waitingPage, parameters: [] };
    if (status === 'unreachable') return { page: unreachablePage, parameters: [] };
    const { pathname, hash } = location;
    for (const route of ROUTES) {
      const match = route.path.exec(pathname);
      if (!match) continue;
      if (route.who === 'signed-in' && status === 'signed-out') return this.#redirect(pathname === '/' ? '/login' : `/login?next=${encodeURIComponent(pathname)}${promisedIn(hash) === null ? '' : hash}`);
      if (route.who === 'anybody' && status === 'signed-in') return this.#redirect(nextPath(location));
      return { page: route.page, parameters: match.slice(1) };
    }
    return { page: notFoundPage, parameters: [] };
  }

  /** @param {string} path */
  #redirect(path) {
    history.replaceState(null, '', path);
    return this.#choose();
  }

  /** @param {MouseEvent} event */
  #followLink(event) {
    const link = /** @type {Element} */ (event.target).closest?.('a[href^="/"]');
    if (!(link instanceof HTMLAnchorElement) || event.defaultPrevented) return;
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || link.target === '_blank') return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  }
}

/**
 * Where to go after logging in: only ever a page of this site. What stood in a link for those inside is where no server sees it, here as well.
 * @param {Pick<Location, 'search' | 'hash'>} at
 * @returns {string}
 */
export function nextPath({ search, hash }) {
  const next = new URLSearchParams(search).get('next') ?? '/';
  if (!ROUTES.some(({ path, who }) => who === 'signed-in' && path.test(next))) return '/';
  return promisedIn(hash) === null ? next : next + hash;
}

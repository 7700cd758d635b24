// Chromium, Debian's own, driven by playwright-core. Every page gets a context of its own: cookies and storage of one user.

import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { trust } from './authority.mjs';
import { removeFolder, temporaryFolder } from './children.mjs';
import { Page, preload } from './page.mjs';

export const CHROMIUM = process.env.WEBCALL_CHROMIUM ?? '/usr/bin/chromium';
/**
 * What is off, beside what nobody asked for (as Playwright has it: the last list given is the one that counts): the pages in which
 * Chromium draws its own address field. Headless windows show none, and each would start two more processes.
 */
const WITHOUT = [
  'PreloadTopChromeWebUI',
  'WebUIOmniboxAimPopup',
  'WebUIOmniboxFullPopup',
  'WebUIOmniboxPopup',
  'AimEnabled',
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'AvoidCorsURLLoaderRestartOnRedirect',
  'DestroyProfileOnBrowserClose',
  'HttpsFirstBalancedModeAutoEnable',
  'HttpsUpgrades',
  'LensOverlay',
  'MediaRouter',
  'NetworkTimeServiceQuerying',
  'OptimizationHints',
  'PaintHolding',
  'PreconnectToSearch',
  'TcpPortRandomizationWin',
  'ThirdPartyStoragePartitioning',
];
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  `--disable-features=${WITHOUT}`,
  '--autoplay-policy=no-user-gesture-required',
  // Every page is somebody's open window: none may be slowed because another is in front.
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  // The media ports are on the loopback interface.
  '--allow-loopback-in-peer-connection',
];

/**
 * Starts a browser.
 * @param {{ ca?: string, executable?: string }} options `ca`: an authority to trust, beside those that it knows; `executable`: what starts it
 */
export async function launchChromium({ ca, executable = CHROMIUM } = {}) {
  const home = temporaryFolder('chromium');
  if (ca) trust(join(home, '.pki', 'nssdb'), ca);
  const browser = await chromium.launch({ executablePath: executable, headless: true, args: FLAGS, env: { ...process.env, HOME: home } });
  return {
    name: 'chromium',
    page: (label, media, options = {}) => openPage(browser, label, media, options),
    close: async () => {
      await browser.close();
      removeFolder(home);
    },
  };
}

async function openPage(browser, label, media, { width = 1000, height = 700, language = 'en', colour_scheme = 'light', without_policy = false }) {
  const context = await browser.newContext({ viewport: { width, height }, locale: language, colorScheme: colour_scheme, bypassCSP: without_policy });
  await context.grantPermissions(['camera', 'microphone', 'clipboard-read', 'clipboard-write', 'notifications']);
  await context.addInitScript({ content: preload(media) });
  const page = new ChromiumPage(label, media, language);
  await page.open(context);
  return page;
}

class ChromiumPage extends Page {
  engine = 'chromium';
  #context;
  #page;

  async open(context) {
    this.#context = context;
    this.#page = await context.newPage();
    this.#page.on('console', (message) => this.console.push(`${message.type()}: ${message.text()}`));
    this.#page.on('pageerror', (error) => this.errors.push(error.stack ?? error.message));
  }

  async goto(url) {
    await this.#page.goto(url, { waitUntil: 'domcontentloaded' });
  }

  /**
   * All that this page and the server say to each other from now on: bodies of requests and answers, and what goes over WebSockets. Gives what
   * was said so far, each with where.
   * @returns {() => Promise<{ place: string, bytes: Uint8Array }[]>}
   */
  listenIn() {
    const said = [];
    const say = (place, content) => content && said.push({ place: `${this.label}: ${place}`, bytes: Buffer.from(content) });
    const answers = [];
    this.#page.on('request', (request) => {
      say('HTTP address', request.url());
      say('HTTP request', request.postDataBuffer());
    });
    this.#page.on('response', (response) => {
      // A body that is gone belongs to a page that is gone, or is that of a redirection.
      answers.push(response.body().then((body) => say('HTTP answer', body), () => {}));
    });
    this.#page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => say('WebSocket, sent', payload));
      socket.on('framereceived', ({ payload }) => say('WebSocket, received', payload));
    });
    return async () => {
      await Promise.all(answers);
      return said;
    };
  }

  async reload() {
    await this.#page.reload({ waitUntil: 'domcontentloaded' });
  }

  evaluateSource(source) {
    return this.#page.evaluate(source);
  }

  async press(selector, button = 'left') {
    await this.#page.locator(selector).first().click({ button });
  }

  /** What can be pressed and has this role and this name; null when there is nothing. */
  async findNamed(role, name, within) {
    const found = this.#page.locator(within).getByRole(role, { name, exact: true }).first();
    return (await found.count()) > 0 && (await found.isEnabled()) ? found : null;
  }

  /** Whether it was pressed: always, for it is looked for again where the page draws it anew. */
  async pressFound(found) {
    await found.click();
    return true;
  }

  /** Turns the wheel over an element. */
  async wheel(selector, distance) {
    await this.#page.locator(selector).first().hover();
    await this.#page.mouse.wheel(0, distance);
  }

  /** Chooses files in the dialog that pressing opens. */
  async chooseFiles(press, paths) {
    const [chooser] = await Promise.all([this.#page.waitForEvent('filechooser'), press()]);
    await chooser.setFiles(paths);
  }

  /** Where the file that pressing saves ends up, once it is whole. */
  async download(press) {
    const [download] = await Promise.all([this.#page.waitForEvent('download'), press()]);
    return download.path();
  }

  async key(names) {
    await this.#page.keyboard.press(names);
  }

  async type(text) {
    await this.#page.keyboard.type(text);
  }

  async resize(width, height) {
    await this.#page.setViewportSize({ width, height });
  }

  /** The browser's own protocol, as far as this page goes. */
  devtools() {
    return this.#context.newCDPSession(this.#page);
  }

  /** The system's colours: `light` or `dark`. */
  async scheme(colours) {
    await this.#page.emulateMedia({ colorScheme: colours, reducedMotion: 'reduce' });
  }

  /**
   * Plugs a security key with `prf` in, whose owner touches it whenever it is asked. For pages under a name such as `localhost`: an address is none.
   */
  async plugIn() {
    const devtools = await this.#context.newCDPSession(this.#page);
    await devtools.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true, hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true };
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
    return {
      count: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length,
      forget: () => devtools.send('WebAuthn.clearCredentials', { authenticatorId }),
      /** Its owner is not known to it: as a finger that it does not know. */
      refuse: () => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false }),
      unplug: () => devtools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
    };
  }

  async screenshot(path) {
    await this.#page.mouse.move(0, 0);
    await this.#page.screenshot({ path, animations: 'disabled' });
  }

  async close() {
    await this.#context.close();
  }
}

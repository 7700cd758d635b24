// Firefox, Debian's firefox-esr, driven over WebDriver BiDi. Every page gets a user context (a container) and a window of its own:
// cookies and storage of one user, and a window that is never in the background.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { trust } from './authority.mjs';
import { Bidi } from './bidi.mjs';
import { removeFolder, start, stop, temporaryFolder } from './children.mjs';
import { Page, preload } from './page.mjs';
import { startSoundServer } from './sound-server.mjs';

const EXECUTABLE = process.env.WEBCALL_FIREFOX ?? '/usr/bin/firefox-esr';
const START_BOUND_MS = 60_000;

const PREFERENCES = {
  // Sound plays without a gesture, as it does for a site that a person allowed.
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  'media.autoplay.block-webaudio': false,
  // There is nobody to resolve a .local name in the network of the tests.
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  // No timer of any window is slowed.
  'dom.min_background_timeout_value': 4,
  'dom.timeout.enable_budget_timer_throttling': false,
  'layout.throttled_frame_rate': 60,
  // A fresh profile that asks nobody anything: no updates, no plug-in downloads, no reports.
  'app.update.disabledForTesting': true,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'browser.safebrowsing.downloads.remote.enabled': false,
  'browser.newtabpage.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'toolkit.telemetry.server': '',
  'extensions.update.enabled': false,
  'media.gmp-manager.url': '',
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'network.dns.disablePrefetch': true,
  'network.prefetch-next': false,
  'services.settings.server': 'data:,none',
};

/** The keys that a test presses by name, as WebDriver writes them. */
const KEYS = { Tab: '\uE004', Enter: '\uE007', Escape: '\uE00C', Space: ' ', Shift: '\uE008' };

/** What Firefox reports as an error of the page and is none: a WebSocket that ended with its page or its server. */
const OF_THE_NETWORK = /^(Firefox can’t establish a connection to the server at|The connection to) wss?:\/\//;

/** Starts a browser with a fresh profile. */
export async function launchFirefox({ language = 'en', preferences = {}, ca } = {}) {
  const profile = temporaryFolder('firefox');
  if (ca) trust(profile, ca);
  const all = { ...PREFERENCES, 'intl.accept_languages': language, ...preferences };
  const lines = Object.entries(all).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  writeFileSync(join(profile, 'user.js'), `${lines.join('\n')}\n`);
  const sound = await startSoundServer();
  const child = start(EXECUTABLE, ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'], {
    env: { ...process.env, ...sound.environment, MOZ_HEADLESS: '1', HOME: profile },
  });
  const bidi = await Bidi.connect(`${await address(child)}/session`);
  await bidi.send('session.new', { capabilities: {} });
  await bidi.send('session.subscribe', { events: ['log.entryAdded'] });
  const pages = new Map();
  bidi.onEvent((method, params) => {
    if (method === 'log.entryAdded') pages.get(params.source?.context)?.note(params);
  });
  return {
    name: 'firefox',
    page: (label, media, options) => openPage(bidi, pages, label, media, options),
    close: async () => {
      await bidi.send('browser.close').catch(() => {});
      bidi.close();
      await stop(child);
      await sound.close();
      removeFolder(profile);
    },
  };
}

function address(child) {
  return new Promise((resolve, reject) => {
    let said = '';
    const timer = setTimeout(() => reject(new Error(`Firefox did not start in ${START_BOUND_MS} ms:\n${said}`)), START_BOUND_MS);
    child.once('exit', (code) => reject(new Error(`Firefox ended with ${code}:\n${said}`)));
    const listen = (chunk) => {
      said = (said + chunk).slice(-4000);
      const found = said.match(/WebDriver BiDi listening on (ws:\/\/\S+)/);
      if (found === null) return;
      clearTimeout(timer);
      resolve(found[1]);
    };
    child.stderr.on('data', listen);
    child.stdout.on('data', listen);
  });
}

async function openPage(bidi, pages, label, media, { width = 1000, height = 700 } = {}) {
  const { userContext } = await bidi.send('browser.createUserContext');
  const { context } = await bidi.send('browsingContext.create', { type: 'window', userContext });
  const page = new FirefoxPage(label, media, bidi, context, userContext);
  pages.set(context, page);
  await bidi.send('script.addPreloadScript', { functionDeclaration: `() => { ${preload(media)} }`, contexts: [context] });
  await page.resize(width, height);
  return page;
}

class FirefoxPage extends Page {
  engine = 'firefox';
  #bidi;
  #context;
  #userContext;

  constructor(label, media, bidi, context, userContext) {
    super(label, media);
    this.#bidi = bidi;
    this.#context = context;
    this.#userContext = userContext;
  }

  note(entry) {
    this.console.push(`${entry.level}: ${entry.text}`);
    if (entry.type === 'javascript' && entry.level === 'error' && !OF_THE_NETWORK.test(entry.text)) this.errors.push(entry.text);
  }

  async goto(url) {
    await this.#bidi.send('browsingContext.navigate', { context: this.#context, url, wait: 'interactive' });
  }

  async reload() {
    await this.#bidi.send('browsingContext.reload', { context: this.#context, wait: 'interactive' });
  }

  // Answers travel as JSON text: what a page can say is then the same in both browsers.
  async evaluateSource(source) {
    const answer = await this.#bidi.send('script.evaluate', {
      expression: `(async () => JSON.stringify({ value: await (${source}) }))()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (answer.type === 'exception') throw new Error(`${this.label}: ${answer.exceptionDetails.text}`);
    return JSON.parse(answer.result.value).value;
  }

  async press(selector) {
    const { result } = await this.#bidi.send('script.callFunction', {
      functionDeclaration: `(wanted) => { const found = document.querySelector(wanted); found.scrollIntoView({ block: 'center', behavior: 'instant' }); return found; }`,
      arguments: [{ type: 'string', value: selector }],
      target: { context: this.#context },
      awaitPromise: false,
    });
    const origin = { type: 'element', element: { sharedId: result.sharedId } };
    await this.#bidi.send('input.performActions', {
      context: this.#context,
      actions: [
        {
          type: 'pointer',
          id: 'mouse',
          actions: [
            { type: 'pointerMove', x: 0, y: 0, origin },
            { type: 'pointerDown', button: 0 },
            { type: 'pointerUp', button: 0 },
          ],
        },
      ],
    });
  }

  async key(names) {
    const values = names.split('+').map((name) => KEYS[name]);
    await this.#keys([...values.map((value) => ({ type: 'keyDown', value })), ...values.toReversed().map((value) => ({ type: 'keyUp', value }))]);
  }

  async type(text) {
    await this.#keys([...text].flatMap((value) => [{ type: 'keyDown', value }, { type: 'keyUp', value }]));
  }

  async #keys(actions) {
    await this.#bidi.send('input.performActions', { context: this.#context, actions: [{ type: 'key', id: 'keyboard', actions }] });
  }

  async resize(width, height) {
    await this.#bidi.send('browsingContext.setViewport', { context: this.#context, viewport: { width, height } });
  }

  async screenshot(path) {
    const { data } = await this.#bidi.send('browsingContext.captureScreenshot', { context: this.#context });
    writeFileSync(path, Buffer.from(data, 'base64'));
  }

  async close() {
    await this.#bidi.send('browser.removeUserContext', { userContext: this.#userContext });
  }
}

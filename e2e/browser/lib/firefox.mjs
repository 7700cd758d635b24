// Firefox, Debian's firefox-esr, driven over WebDriver BiDi. Every page gets a user context (a container) and a window of its own:
// cookies and storage of one user, and a window that is never in the background.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { trust } from './authority.mjs';
import { Bidi } from './bidi.mjs';
import { removeFolder, start, stop, temporaryFolder } from './children.mjs';
import { FirefoxPage } from './firefox-page.mjs';
import { preload } from './page.mjs';
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
  // A file dialog is answered by the test: none is to open on a screen that is not there.
  await bidi.send('session.new', { capabilities: { alwaysMatch: { unhandledPromptBehavior: { file: 'dismiss' } } } });
  await bidi.send('session.subscribe', { events: ['log.entryAdded', 'input.fileDialogOpened', 'browsingContext.downloadEnd'] });
  await bidi.send('browser.setDownloadBehavior', { downloadBehavior: { type: 'allowed', destinationFolder: profile } });
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

async function openPage(bidi, pages, label, media, { width = 1000, height = 700, language = 'en' } = {}) {
  const { userContext } = await bidi.send('browser.createUserContext');
  await bidi.send('emulation.setLocaleOverride', { locale: language, userContexts: [userContext] });
  const { context } = await bidi.send('browsingContext.create', { type: 'window', userContext });
  const page = new FirefoxPage(label, media, language, bidi, context, userContext);
  pages.set(context, page);
  await bidi.send('script.addPreloadScript', { functionDeclaration: `() => { ${preload(media)} }`, contexts: [context] });
  await page.resize(width, height);
  return page;
}

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { checkRegistration } from '../views/register.js';
import { browserName } from '../views/user-agent.js';
import { hueOf, initials } from '../views/avatar.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = ['net', 'rtc', 'e2ee', 'state', 'i18n', 'ui', 'views'];
const files = [...FOLDERS.flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`)), 'main.js', 'sw.js'].filter((name) => name.endsWith('.js'));
const text = (name) => readFileSync(join(root, name), 'utf8');
const imports = (name) => [...text(name).matchAll(/^(?:import|export)[\s\S]*?from '([^']+)';/gm)].map(([, from]) => normalize(join(dirname(name), from ?? '')));

/** Who may import whom, beside their own folder. Rules of the house: state, rtc and e2ee never touch the page. */
const ARROWS = { net: [], rtc: [], e2ee: [], state: ['net', 'rtc', 'e2ee'], i18n: [], ui: ['i18n'], views: ['state', 'rtc', 'ui', 'i18n'], main: ['views', 'state', 'net', 'rtc', 'ui', 'i18n'], sw: ['views', 'e2ee', 'i18n'] };
/** What the build makes (`web/assets`); a declaration stands in its place. */
const BUILT = { 'e2ee/keys/crypto.js': 'e2ee/keys/crypto.d.ts' };
/** What anybody may import. */
const COMMON = ['backoff.js'];

test('imports follow the arrows of the house', () => {
  const against = [];
  for (const name of files) {
    const from = (name.split('/')[0] ?? '').replace(/\.js$/, '');
    for (const target of imports(name)) {
      assert.ok(existsSync(join(root, BUILT[target] ?? target)), `${name} imports ${target}, which does not exist`);
      const to = target.split('/')[0] ?? '';
      if (to !== from && !COMMON.includes(to) && !ARROWS[from].includes(to)) against.push(`${name} -> ${target}`);
    }
  }
  assert.deepEqual(against, []);
});

test('net, rtc, e2ee and state never touch the page', () => {
  for (const name of files.filter((file) => /^(net|rtc|e2ee|state)\//.test(file))) {
    const code = text(name).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    assert.ok(!/\b(document|window|HTML\w*Element|location)\b/.test(code), name);
  }
});

test('no markup is parsed and no code is made from text', () => {
  for (const name of files) assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|DOMParser/.test(text(name)), name);
});

test('every m-line is made in one place', () => {
  assert.deepEqual(files.filter((name) => /\.addTransceiver\(|\.addTrack\(/.test(text(name))), ['rtc/transceivers.js']);
});

test('no file is longer than anybody wants to read', () => {
  for (const name of files) assert.ok(text(name).split('\n').length <= 600, name);
});

test('the page names only files that exist, and has no inline script or style', () => {
  const page = text('index.html');
  for (const [, path] of page.matchAll(/\{\{base\}\}\/([\w./-]+)/g)) assert.ok(existsSync(join(root, path)), path);
  assert.ok(!/<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)/.test(page));
});

test('the page fetches every module at once', () => {
  const reached = new Set(['main.js']);
  for (const name of reached) for (const target of imports(name)) reached.add(target);
  const preloaded = [...text('index.html').matchAll(/rel="modulepreload" href="\{\{base\}\}\/([\w./-]+)"/g)].map(([, path]) => path);
  assert.deepEqual(preloaded.sort(), [...reached].filter((name) => name !== 'main.js').sort());
});

test('a registration is checked before it is sent', () => {
  assert.equal(checkRegistration({ username: 'anna.petrova', password: '12345678' }), null);
  for (const username of ['', 'ab', 'анна', 'a b c', 'x'.repeat(33)]) assert.equal(checkRegistration({ username, password: '12345678' }), 'invalid_username');
  assert.equal(checkRegistration({ username: 'anna', password: '1234567' }), 'invalid_password');
  assert.equal(checkRegistration({ username: 'anna', password: 'пароль' }), null, 'bytes count, as on the server');
});

test('a session shows its browser and system', () => {
  const chrome = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';
  assert.deepEqual(browserName(chrome), { browser: 'Chrome', system: 'Linux' });
  assert.deepEqual(browserName('Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0'), { browser: 'Firefox', system: 'Windows' });
  assert.deepEqual(browserName(`${chrome} Edg/156.0`.replace('X11; Linux x86_64', 'Macintosh; Intel Mac OS X 10_15_7')), { browser: 'Edge', system: 'macOS' });
  assert.equal(browserName('curl/8'), null);
});

test('an avatar has the initials and the same colour everywhere', () => {
  assert.equal(initials('anna.petrova'), 'AP');
  assert.equal(initials('boris'), 'B');
  assert.equal(hueOf('Anna'), hueOf('anna'));
});

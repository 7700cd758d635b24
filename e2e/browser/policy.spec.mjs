// T28: what code could do that came into the page, or into one of its workers, by a fault of the client: nothing is text that becomes code, nothing
// goes elsewhere, and keys cannot be taken out. The code stands at the end of the client's own files, where a proxy puts it: what a
// driver evaluates would run under no policy. Not here, because no policy stops it: leaving the page for another one, a window with another one, and
// what WebRTC asks of the servers that it is given.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { WebSocketServer } from 'ws';

import { tryEverything, tryInWorker } from './inpage/attempts.mjs';
import { openChat } from './lib/chat.mjs';
import { during, party, PASSWORD } from './lib/party.mjs';
import { proxyOf } from './lib/proxy.mjs';

/** For a browser to tell that it refused something; so long nothing is waited for that is refused, as most is. */
const PATIENCE_MS = 4_000;
const SCRIPT = { 'content-type': 'text/javascript' };
const WORKERS = { keys: '/e2ee/keys/worker.js', media: '/e2ee/media/worker.js', service: '/sw.js' };

/** Another origin, which counts what arrives: requests and WebSockets by their path. Its own page, under no policy, tries the same. */
async function listener() {
  const arrived = new Map();
  const count = (url) => arrived.set(url.slice(1), (arrived.get(url.slice(1)) ?? 0) + 1);
  const server = createServer((request, response) => {
    if (request.url === '/') return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/try.js"></script>');
    if (request.url === '/try.js') return response.writeHead(200, SCRIPT).end(attempting(url, 50));
    if (request.url === '/?worker') return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><link rel="icon" href="data:,"><script src="/start.js"></script>');
    if (request.url === '/start.js') return response.writeHead(200, SCRIPT).end('new Worker("/worker.js")');
    if (request.url === '/worker.js') return response.writeHead(200, SCRIPT).end(inWorker('control', url));
    count(request.url);
    request.resume();
    response.writeHead(200, { 'access-control-allow-origin': '*', ...SCRIPT }).end();
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, socket, head) => {
    count(request.url);
    sockets.handleUpgrade(request, socket, head, () => {});
  });
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `http://localhost:${server.address().port}`;
  return { url, arrived, close: () => (server.close(), server.closeAllConnections()) };
}

const inWorker = (name, elsewhere) => `void (${tryInWorker})(${JSON.stringify(name)}, ${JSON.stringify(elsewhere)});`;
const attempting = (elsewhere, patience_ms) => `void (${tryEverything})(${JSON.stringify(elsewhere)}, ${patience_ms});`;

const PAGE = '/main.js';

/** A server behind a proxy that puts code at the end of the page's first module, or of every worker. */
const attacked = (server, elsewhere, where) =>
  proxyOf(server, {
    file: (path, text) => {
      // The service worker's own address has one line, which imports the file.
      if (!path.startsWith('/a/')) return text;
      if (where === 'page') return path.endsWith(PAGE) ? `${text}\n${attempting(elsewhere, PATIENCE_MS)}` : text;
      const [name] = Object.entries(WORKERS).find(([, file]) => path.endsWith(file)) ?? [];
      return name === undefined ? text : `${text}\n${inWorker(name, elsewhere)}`;
    },
  });

const outcomesOf = (page) => page.waitFor('everything to be tried', () => window.attempts, [], 90_000);


/** Ways that a browser may not go though no policy is in the way: Firefox fetches ahead when it finds the time, and has no pings by default. */
const MAYBE = { chromium: [], firefox: ['prefetch', 'ping'] };

/** Runs the body with a page that comes by the proxy to what was changed; what the page complains of then is what the test wants. */
function underAttack(engine, where, body) {
  return during(party(), async (table) => {
    const elsewhere = await listener();
    const proxy = await attacked(table.server, elsewhere.url, where);
    const page = await table.stranger(engine);
    try {
      await body(page, { table, proxy, elsewhere });
      await page.goto(`${table.server.url}/healthz`);
      page.errors.length = 0;
    } finally {
      proxy.close();
      elsewhere.close();
    }
  });
}

async function signIn(page, { table, proxy }) {
  const { access_token: token } = await table.server.register(page.username, PASSWORD);
  await page.goto(`${proxy.url}/login`);
  await page.fill('username', page.username);
  await page.fill('password', PASSWORD);
  await page.click('login');
  await page.see('[data-page="rooms"]');
  return token;
}

for (const engine of ['chromium', 'firefox']) {
  test(`t28: no text that is put into the page becomes code, and nothing goes elsewhere from it (${engine})`, () =>
    underAttack(engine, 'page', async (page, { proxy, elsewhere }) => {
      await page.goto(`${proxy.url}/login`);
      const { textAsCode, away, outcomes } = await outcomesOf(page);
      await page.see('[data-page="login"]');
      assert.deepEqual(textAsCode.filter((way) => outcomes[way] !== 'refused'), []);
      assert.deepEqual([...elsewhere.arrived.keys()], []);

      await page.goto(elsewhere.url);
      const control = await outcomesOf(page);
      assert.deepEqual(textAsCode.filter((way) => control.outcomes[way] !== 'ran'), []);
      const sure = away.filter((way) => !MAYBE[engine].includes(way));
      await page.until('all of it to arrive from a page without a policy', async () => sure.every((way) => elsewhere.arrived.has(way)));
      console.log(`T28 (${engine}): of ${away.length} ways out none went from the page of the client, ${elsewhere.arrived.size} from one without a policy`);
    }));

  test(`t28: WebAssembly is compiled in the worker of the keys alone, and no worker makes code of text or speaks to anybody elsewhere (${engine})`, () =>
    underAttack(engine, 'workers', async (page, { table, proxy, elsewhere }) => {
      const token = await signIn(page, { table, proxy });
      const room = await table.server.request('POST', 'rooms', { token, body: { name: 'Stammtisch', encryption: 'mls' } });
      await page.goto(`${proxy.url}/rooms/${room.id}`);
      await page.see('[data-page="prejoin"]');
      const outcomes = {};
      for (const name of Object.keys(WORKERS)) outcomes[name] = await page.waitFor(`the worker "${name}" to have tried`, ask, [name]);
      const none = Object.fromEntries(Object.keys(outcomes.keys).map((way) => [way, 'refused']));
      assert.deepEqual(outcomes, { keys: { ...none, webassembly: 'ran' }, media: none, service: none });
      assert.deepEqual([...elsewhere.arrived.keys()], []);

      await page.goto(`${elsewhere.url}/?worker`);
      const control = await page.waitFor('a worker without a policy to have tried', ask, ['control']);
      assert.deepEqual(new Set(Object.values(control)), new Set(['ran']));
    }));
}

/** In the page: asks a worker what became of what it tried; null until it answers. */
function ask(name) {
  return new Promise((resolve) => {
    const channel = new BroadcastChannel(`attempts-${name}`);
    const end = (outcomes) => (channel.close(), resolve(outcomes));
    channel.onmessage = ({ data }) => typeof data === 'object' && end(data);
    channel.postMessage('what became of it?');
    setTimeout(() => end(null), 1_000);
  });
}

/** In the page: every key in every database of the origin, with whether it can be taken out; where a browser says that it cannot, it is tried. */
async function keysKept() {
  const found = [];
  const asked = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
  const lookInto = async (value, place) => {
    if (value instanceof CryptoKey) {
      const formats = { secret: ['raw', 'jwk'], private: ['pkcs8', 'jwk'], public: [] }[value.type];
      const outcomes = await Promise.all(formats.map((format) => crypto.subtle.exportKey(format, value).then(() => 'taken', () => 'kept')));
      found.push({ place, algorithm: value.algorithm.name, extractable: value.extractable, taken: outcomes.includes('taken') });
    } else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value)) {
      for (const [name, part] of Object.entries(value)) await lookInto(part, `${place}.${name}`);
    }
  };
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      for (const value of await asked(database.transaction(store).objectStore(store).getAll())) await lookInto(value, `${name.replace(/-[0-9a-f-]{36}/, '…')} ${store}`);
    }
    database.close();
  }
  return found;
}

/** In the page: one that can be taken out, kept as the others are. */
async function keepCarelessly() {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']);
  const opening = indexedDB.open('careless', 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore('keys');
  await new Promise((resolve) => (opening.onsuccess = resolve));
  const transaction = opening.result.transaction('keys', 'readwrite');
  transaction.objectStore('keys').put({ inside: [key] }, 'key');
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  opening.result.close();
}

for (const engine of ['chromium', 'firefox']) {
  test(`t28: no key that a browser keeps for the page, its workers or its service worker can be taken out (${engine})`, () =>
    during(party(), async (table) => {
      const anna = await table.person(engine);
      const room = await table.room([anna], { encryption: 'mls' });
      await openChat(table, anna, room);
      const places = ['webcall-chat… keys', 'webcall-keys… keys.wrapper', 'webcall-notices keys', 'webcall-notices rooms.key'];
      const kept = await anna.until(places.join(', '), async () => {
        const found = await anna.evaluate(keysKept);
        return places.every((place) => found.some((key) => key.place === place)) && found;
      });
      console.log(`T28 (${engine}): ${kept.map(({ place, algorithm }) => `${place} (${algorithm})`).join(', ')}`);
      assert.deepEqual(kept.filter(({ extractable, taken }) => extractable || taken), []);

      await anna.evaluate(keepCarelessly);
      const careless = (await anna.evaluate(keysKept)).filter(({ extractable, taken }) => extractable && taken);
      assert.deepEqual(careless.map(({ place }) => place), ['careless keys.inside.0'], 'the control');
    }));
}

// What a browser notices of the code that a server gives out as the client. A proxy stands between them: it changes nothing, or one file that is under
// the address of all the others.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { test } from 'node:test';

import { during, party, PASSWORD } from './lib/party.mjs';
import { EXECUTABLE } from './lib/server.mjs';
import { words } from './lib/words.mjs';

const SECTION = '[data-section="client-code"]';

/** Between browsers and a server; `change` gets each file's path and text. */
async function proxyOf(server, change = (_, text) => text) {
  const proxy = createServer((asked, answer) => {
    // Not compressed, so that it can be changed.
    const { 'accept-encoding': _, ...headers } = asked.headers;
    const passed = request({ host: 'localhost', port: server.port, method: asked.method, path: asked.url, headers }, async (got) => {
      const chunks = [];
      for await (const chunk of got) chunks.push(chunk);
      const { 'content-length': __, 'transfer-encoding': ___, ...rest } = got.headers;
      const body = Buffer.concat(chunks);
      answer.writeHead(got.statusCode, rest).end(asked.url.endsWith('.js') ? change(asked.url, body.toString()) : body);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  });
  proxy.listen(0, 'localhost');
  await once(proxy, 'listening');
  return { url: `http://localhost:${proxy.address().port}`, close: () => proxy.close() };
}

/** The settings of somebody who came by this address, after the service worker has looked. */
async function looksAt(table, url) {
  const page = await table.stranger('chromium', { language: 'en' });
  await table.server.register(page.username, PASSWORD);
  await page.goto(`${url}/login`);
  await page.fill('username', page.username);
  await page.fill('password', PASSWORD);
  await page.click('login');
  await page.see('[data-page="rooms"]');
  await page.goto(`${url}/settings`);
  await page.waitFor('the service worker', () => navigator.serviceWorker.controller?.state === 'activated');
  await page.click('look-at-code');
  return page;
}

const printed = () => /^sha256 ([0-9a-f]{64})$/m.exec(execFileSync(EXECUTABLE, ['client-hashes'], { encoding: 'utf8' }))[1];

test('the settings show the hash of the client that the server prints, and when it was another (chromium)', () =>
  during(party(), async (table) => {
    const proxy = await proxyOf(table.server);
    try {
      const anna = await looksAt(table, proxy.url);
      await anna.see(`${SECTION} [data-hash="${printed()}"]`);
      assert.equal(await anna.evaluate(() => document.querySelectorAll('[data-alarm], [data-change]').length), 0);
      // As if this browser had another version last time.
      await anna.evaluate(async () => {
        const opening = indexedDB.open('webcall-client');
        await new Promise((resolve) => (opening.onsuccess = resolve));
        const transaction = opening.result.transaction('known', 'readwrite');
        const store = transaction.objectStore('known');
        store.get('known').onsuccess = ({ target }) => store.put({ ...target.result, code: { tree: '0'.repeat(20), sha256: '0'.repeat(64) } }, 'known');
        await new Promise((resolve) => (transaction.oncomplete = resolve));
        opening.result.close();
      });
      await anna.click('look-at-code');
      const change = await anna.waitFor('the change', (section) => document.querySelector(`${section} [data-change]`)?.textContent, [SECTION]);
      assert.ok(change.includes('0'.repeat(20)) && change.includes(printed().slice(0, 20)), change);
      assert.equal(await anna.evaluate(() => document.querySelectorAll('[data-alarm]').length), 0);
    } finally {
      proxy.close();
    }
  }));

test('a file that is not what its address says is an alarm (chromium)', () =>
  during(party(), async (table) => {
    const proxy = await proxyOf(table.server, (path, text) => (path.endsWith('/e2ee/keys/worker.js') ? `${text}\n// and one line more\n` : text));
    try {
      const anna = await looksAt(table, proxy.url);
      const alarm = await anna.waitFor('the alarm', (section) => document.querySelector(`${section} [data-alarm]`)?.textContent, [SECTION]);
      assert.ok(alarm.includes(printed().slice(0, 20)), alarm);
      await anna.waitFor('to be told of it', (text) => document.body.innerText.includes(text), [words(anna, 'client.alarm')]);
    } finally {
      proxy.close();
    }
  }));

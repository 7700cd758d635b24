// What a browser notices of the code that a server gives out as the client. A proxy stands between them: it changes nothing, or one file that is under
// the address of all the others.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { EXECUTABLE } from '../lib/built.mjs';
import { during, party } from './lib/party.mjs';
import { proxyOf } from './lib/proxy.mjs';
import { words } from './lib/words.mjs';

const SECTION = '[data-section="client-code"]';

/** The settings of somebody who came by this address, after the service worker has looked. */
async function looksAt(table, site) {
  const page = await table.person('chromium', { language: 'en', site });
  await table.open(page, '/settings');
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
    const proxy = await proxyOf(table.server, { file: (path, text) => (path.endsWith('/e2ee/keys/worker.js') ? `${text}\n// and one line more\n` : text) });
    try {
      const anna = await looksAt(table, proxy.url);
      const alarm = await anna.waitFor('the alarm', (section) => document.querySelector(`${section} [data-alarm]`)?.textContent, [SECTION]);
      assert.ok(alarm.includes(printed().slice(0, 20)), alarm);
      await anna.waitFor('to be told of it', (text) => document.body.innerText.includes(text), [words(anna, 'client.alarm')]);
    } finally {
      proxy.close();
    }
  }));

// What a browser keeps of encrypted rooms on its disk: all that its databases and caches hold is read out, and nothing in it is what people wrote or
// are called. What an earlier version left in the clear is found by the same reading, so that it can fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openChat, reads, type, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const SAID = 'zanzibar-canary';
const ANSWERED = 'timbuktu-canary';
const DRAFT = 'valparaiso-canary';
const PLANTED = 'planted-canary';

/** Runs in the page: everything as text, bytes by their values as Latin-1. */
async function readAll() {
  const done = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
  const latin = (bytes) => Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const texts = async (value) => {
    if (value instanceof Blob) return latin(new Uint8Array(await value.arrayBuffer()));
    if (value instanceof ArrayBuffer) return latin(new Uint8Array(value));
    if (ArrayBuffer.isView(value)) return latin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    if (typeof value !== 'object' || value === null) return String(value);
    return (await Promise.all(Object.entries(value).map(async ([key, each]) => `${key}=${await texts(each)}`))).join('\n');
  };
  const all = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await done(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const objects = database.transaction(store).objectStore(store);
      const [keys, rows] = await Promise.all([done(objects.getAllKeys()), done(objects.getAll())]);
      all.push(`${name}/${store}: ${rows.length}`, await texts(keys), await texts(rows));
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) all.push(request.url, await (await cache.match(request)).text());
  }
  return all.join('\n');
}

/** Runs in the page: as a version that seals nothing would keep it. */
async function plant(text) {
  const { name } = (await indexedDB.databases()).find((each) => each.name.startsWith('webcall-chat-'));
  const request = indexedDB.open(name);
  await new Promise((resolve) => (request.onsuccess = resolve));
  const transaction = request.result.transaction('drafts', 'readwrite');
  transaction.objectStore('drafts').put({ room: '00000000-0000-4000-8000-000000000001', text, replyTo: null });
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  request.result.close();
}

for (const engine of variants(['chromium', 'firefox'])) {
  test(`nothing that was written in an encrypted room, and no name, stands readable in what the browser keeps (${engine})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(engine, { language: 'en' }), await table.person(engine, { language: 'en' })];
      const room = await table.room([anna, boris], { encryption: 'mls' });
      await openChat(table, anna, room);
      await openChat(table, boris, room);
      await write(boris, SAID);
      await reads(anna, SAID);
      await write(anna, ANSWERED);
      await reads(boris, ANSWERED);
      await type(anna, DRAFT);
      const draftKept = /webcall-chat-[0-9a-f-]+\/drafts: [1-9]/;
      await anna.until('the draft to be kept', async () => draftKept.test(await anna.evaluate(readAll)));
      // What is kept is what is shown after a reload: it is there to be found.
      await anna.reload();
      for (const text of [SAID, ANSWERED]) await reads(anna, text);
      await anna.waitFor('the draft in the field', (text) => document.querySelector('.composer textarea')?.value === text, [DRAFT]);
      // Found by a word of it, too: what finds it is not kept, or sealed.
      const found = await reads(anna, SAID);
      await anna.pressNamed('button', words(anna, 'chat.search'));
      await anna.pressNamed('searchbox', words(anna, 'chat.search'));
      await anna.type(SAID);
      await anna.see(`.found[data-message="${found}"]`);
      const kept = await anna.evaluate(readAll);
      assert.match(kept, /webcall-chat-[0-9a-f-]+\/entries: [1-9]/, 'messages are kept');
      assert.match(kept, draftKept, 'the draft is kept');
      const { rooms: [told] } = await table.server.request('GET', 'rooms', { token: anna.token });
      for (const canary of [SAID, ANSWERED, DRAFT, told.name, boris.username]) assert.ok(!kept.includes(canary), `"${canary}" stands in the clear`);

      await anna.evaluate(plant, [PLANTED]);
      assert.ok((await anna.evaluate(readAll)).includes(PLANTED), 'what stands in the clear is found');
    }));
}

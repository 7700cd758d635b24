// Prints how long a search takes on 100,000 messages: node test/search-figures.mjs. No test: figures are looked at, not asserted.
// Times are of the processor (user), so that whatever else the machine does is left out.

import { Search } from '../state/chat/search.js';
import { IDBFactory } from 'fake-indexeddb';
import { IndexedStorage } from '../state/chat/storage.js';
import { ANNA, ME, ROOM, uuid } from './chat-server.js';

const MESSAGES = 100_000;
const WORDS = 30_000;
const ROUNDS = 40;

const now = () => process.cpuUsage().user / 1_000;
let seed = 1;
const random = () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzабвгдеёжзийклмнопрстуфхцчшщэюя';
const vocabulary = Array.from({ length: WORDS }, () => Array.from({ length: 3 + Math.floor(random() * 7) }, () => LETTERS[Math.floor(random() * (random() < 0.5 ? 26 : LETTERS.length))]).join(''));
// Zipf-like: few words are in most messages, as in any language.
const word = () => vocabulary[Math.floor(WORDS * random() ** 4)];

const records = Array.from({ length: MESSAGES }, (_, index) => ({
  room: ROOM, seq: index + 1, id: uuid(index), kind: 'message', sender: ANNA, at: index, about: null,
  content: JSON.stringify({ v: 1, type: 'text', text: Array.from({ length: 3 + Math.floor(random() * 20) }, word).join(' ') }),
}));

const storage = await IndexedStorage.open(ME, new IDBFactory());
for (let start = 0; start < MESSAGES; start += 2_000) await storage.putEntries(ROOM, records.slice(start, start + 2_000));
const search = new Search(storage);
const before = now();
await search.find('warm', null);
console.log(`reading and indexing ${MESSAGES} messages, once a page: ${Math.round(now() - before)} ms (storage in node's memory)`);

const frequent = vocabulary[0];
const queries = { 'one letter': frequent[0], 'two letters': frequent.slice(0, 2), 'a frequent word': frequent, 'a rare word': vocabulary[WORDS - 5], 'three words': `${frequent} ${vocabulary[1]} ${vocabulary[2]}`, 'nothing found': 'qqqqqq' };
for (const [name, query] of Object.entries(queries)) {
  const times = [];
  let total = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = now();
    ({ total } = await search.find(query, null));
    times.push(now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor(share * (ROUNDS - 1))].toFixed(2);
  console.log(`${name.padEnd(16)} ${String(total).padStart(6)} found   p50 ${at(0.5)} ms   p95 ${at(0.95)} ms`);
}

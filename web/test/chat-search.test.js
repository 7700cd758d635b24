import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Search } from '../state/chat/search.js';
import { SearchIndex } from '../state/chat/search-index.js';
import { MemoryStorage } from '../state/chat/storage-memory.js';
import { wordsOf } from '../state/chat/words.js';
import { ANNA, BORIS, ROOM, uuid } from './chat-server.js';

const record = (seq, content, fields = {}) => ({ room: ROOM, seq, id: uuid(1_000 + seq), kind: 'message', sender: ANNA, at: seq, about: null, content: content && JSON.stringify({ v: 1, ...content }), ...fields });
const text = (seq, words, fields) => record(seq, { type: 'text', text: words }, fields);
const edit = (seq, of, words, fields) => record(seq, { type: 'edit', of: uuid(1_000 + of), text: words }, { about: uuid(1_000 + of), ...fields });
const deletion = (seq, of) => record(seq, null, { kind: 'deletion', about: uuid(1_000 + of) });

async function searched(...records) {
  const storage = new MemoryStorage();
  const search = new Search(storage);
  if (records.length > 0) await storage.putEntries(ROOM, records);
  return { search, storage, find: async (query, room = null) => (await search.find(query, room)).results.map(({ record: { seq } }) => seq) };
}

test('case and diacritics do not matter, ё is е, and й is a letter of its own', () => {
  assert.deepEqual(wordsOf('ÉTÉ Été'), ['ete']);
  assert.deepEqual(wordsOf('Ёлка елка'), ['елка']);
  assert.deepEqual(wordsOf('Мой мои'), ['мой', 'мои']);
  assert.deepEqual(wordsOf('it\'s 3.14, _foo_bar!'), ['it', 's', '3', '14', '_foo_bar']);
  assert.deepEqual(wordsOf('東京 tower'), ['東', '京', 'tower']);
  assert.deepEqual(wordsOf('👍 …'), []);
  assert.equal(wordsOf('x'.repeat(100))[0].length, 40);
});

test('all words must occur, as words or beginnings, the newest first', async () => {
  const { find } = await searched(text(1, 'The quick brown fox'), text(2, 'quickly, a foxglove'), text(3, 'slow fox'));
  assert.deepEqual(await find('fox quick'), [2, 1]);
  assert.deepEqual(await find('FOX'), [3, 2, 1]);
  assert.deepEqual(await find('ox'), []);
  assert.deepEqual(await find('  '), []);
});

test('names of files are found, and one room can be searched', async () => {
  const other = uuid(200);
  const { find, search } = await searched(record(1, { type: 'text', text: '', files: [{ id: uuid(5), name: 'Отчёт.pdf', type: 'a/b', size: 1 }] }));
  assert.deepEqual(await find('отчет'), [1]);
  search.follow([text(7, 'отчет', { room: other })]);
  assert.deepEqual([await find('отчет'), await find('отчет', other), await find('отчет', ROOM)], [[7, 1], [7], [1]]);
});

test('an edited message is found by what it says now, a deleted one not at all, in whatever order that was learned', async () => {
  const records = [text(1, 'before'), edit(2, 1, 'after'), edit(3, 1, 'forged', { sender: BORIS }), text(4, 'gone'), deletion(5, 4)];
  for (const order of [records, [...records].reverse()]) {
    const { find, search } = await searched();
    await find('anything');
    for (const each of order) search.follow([each]);
    assert.deepEqual([await find('before'), await find('after'), await find('forged'), await find('gone')], [[], [1], [], []]);
  }
});

test('the local copy is read at the first search and followed from then on', async () => {
  const { find, search, storage } = await searched(text(1, 'old'));
  search.follow([text(2, 'not yet stored')]);
  assert.deepEqual([await find('old'), await find('stored')], [[1], []]);
  search.follow([text(3, 'stored')]);
  await storage.putEntries(ROOM, [text(4, 'stored by another window')]);
  await search.followStored(ROOM, 4, 4);
  assert.deepEqual(await find('stored'), [4, 3]);
  search.drop(ROOM, 4);
  assert.deepEqual(await find('stored'), [4]);
});

test('words that came last are found like those that were sorted in', () => {
  const index = new SearchIndex();
  for (let number = 0; number < 3_000; number += 1) index.add(`word${number}`, { room: ROOM, seq: number, at: number });
  assert.equal(index.find('word', null).total, 3_000);
  index.add('wordless', { room: ROOM, seq: 3_000, at: 3_000 });
  const { found, total } = index.find('wordl', null);
  assert.deepEqual([found.map(({ seq }) => seq), total], [[3_000], 1]);
  assert.deepEqual(index.find('word', null).found.slice(0, 3).map(({ seq }) => seq), [3_000, 2_999, 2_998]);
});

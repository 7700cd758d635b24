// What is noticed of the client's code: another tree is told as a change, files that are not what their address says as an alarm.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { IDBFactory } from 'fake-indexeddb';

import { judge } from '../e2ee/client/judge.js';
import { known, remember } from '../e2ee/client/kept.js';
import { look } from '../e2ee/client/look.js';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** A server with these files, as the build puts them together. */
function server(files, page = '<script src="{{base}}/main.js">') {
  const length = (bytes) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigUInt64BE(BigInt(bytes.length));
    return buffer;
  };
  const sorted = Object.entries(files).sort(([one], [other]) => (one < other ? -1 : 1));
  const all = Buffer.concat([...sorted, ['index.html', page]].flatMap(([path, text]) => [length(Buffer.from(path)), Buffer.from(path), length(Buffer.from(text)), Buffer.from(text)]));
  const full = sha256(all);
  const tree = full.slice(0, 20);
  const served = page.replaceAll('{{base}}', `/a/${tree}`);
  const list = [...sorted, ['index.html', served]].map(([path, text]) => `${sha256(text)}  ${path}\n`).join('');
  const answers = new Map([['/', served], [`/a/${tree}/files.txt`, list], ...sorted.map(([path, text]) => [`/a/${tree}/${path}`, text])]);
  return { tree, full, answers, get: async (path) => (answers.has(path) ? new Response(answers.get(path)) : new Response('', { status: 404 })) };
}

const FILES = { 'main.js': 'start();', 'e2ee/keys/worker.js': 'keys();', 'e2ee/keys/crypto_bg.wasm': '\0asm' };

test('files that are what their address says are true, and have the hash that the server prints', async () => {
  const { get, tree, full } = server(FILES);
  assert.deepEqual(await look(get), { tree, sha256: full, isTrue: true });
});

test('one file that was changed, left out of the list or put into it under the same address is not true', async () => {
  const honest = server(FILES);
  const list = honest.answers.get(`/a/${honest.tree}/files.txt`);
  for (const [what, path, text] of [
    ['a changed worker', 'e2ee/keys/worker.js', 'keys(); send(all);'],
    ['a list without it', 'files.txt', list.split('\n').filter((line) => !line.includes('worker')).join('\n')],
    ['a list with another', 'files.txt', `${list}${sha256('x')}  extra.js\n`],
  ]) {
    const { answers, get, tree } = server(FILES);
    answers.set(`/a/${tree}/extra.js`, 'x');
    answers.set(`/a/${tree}/${path}`, text);
    assert.equal((await look(get)).isTrue, false, what);
  }
  const { answers, get, tree } = server(FILES);
  answers.set('/', `<script src="/a/${tree}/main.js"><script src="https://evil.example/x.js">`);
  assert.equal((await look(get)).isTrue, false, 'a changed page');
  answers.set('/', honest.answers.get('/'));
  assert.equal((await look(get)).isTrue, true);
});

test('a page that cannot be fetched is no news, and one that comes without its files is', async () => {
  assert.equal(await look(() => Promise.reject(new TypeError('no network'))), null);
  assert.equal(await look(async () => new Response('', { status: 503 })), null);
  for (const path of ['main.js', 'files.txt']) {
    const { answers, get, tree } = server(FILES);
    answers.delete(`/a/${tree}/${path}`);
    assert.deepEqual(await look(get), { tree, sha256: null, isTrue: false }, path);
  }
  const { answers, get, tree } = server(FILES);
  answers.set(`/a/${tree}/files.txt`, `${sha256('x')}  main.js\n`.repeat(1_001));
  assert.deepEqual(await look(get), { tree, sha256: null, isTrue: false }, 'a list without end');
  assert.deepEqual(await look(async () => new Response('no page of ours')), { tree: '', sha256: null, isTrue: false });
});

const seen = (number, isTrue = true) => ({ tree: String(number).repeat(20), sha256: String(number).repeat(64), isTrue });
const code = ({ tree, sha256: hash }) => ({ tree, sha256: hash });

test('another tree is told once, with what it was before and since when', () => {
  const first = judge(null, seen(1), 10);
  assert.deepEqual(first, { known: { code: code(seen(1)), since: 10, lookedAt: 10, changes: [], alarms: [], missed: 0 }, news: 'nothing' });
  assert.deepEqual(judge(first.known, seen(1), 20), { known: { ...first.known, lookedAt: 20 }, news: 'nothing' });
  const second = judge(first.known, seen(2), 30);
  assert.deepEqual([second.news, second.known.changes], ['changed', [{ at: 30, from: code(seen(1)), to: code(seen(2)) }]]);
  assert.deepEqual([second.known.code, second.known.since], [code(seen(2)), 30]);
  assert.equal(judge(second.known, seen(2), 40).news, 'nothing');
});

test('files that are not their address’s, or were others under it before, are an alarm, and what was true stays the measure', () => {
  const { known: before } = judge(null, seen(1), 10);
  const forged = { ...seen(1), sha256: 'f'.repeat(64), isTrue: false };
  const alarmed = judge(before, forged, 20);
  assert.deepEqual([alarmed.news, alarmed.known.code, alarmed.known.alarms], ['alarm', before.code, [{ at: 20, tree: forged.tree, was: before.code.sha256, is: forged.sha256 }]]);
  assert.equal(judge(alarmed.known, forged, 30).news, 'nothing', 'told once');
  assert.equal(judge(alarmed.known, seen(1), 30).news, 'nothing', 'the honest one again');
  const collision = { ...seen(1), sha256: `${'1'.repeat(63)}2` };
  assert.equal(judge(before, collision, 20).news, 'alarm', 'the same address, and true, but others');
  assert.equal(judge(null, forged, 5).news, 'alarm', 'also at the first look');
});

test('files that are not their address’s are never the measure: the true ones after them are no alarm', () => {
  const forged = { ...seen(1), sha256: 'f'.repeat(64), isTrue: false };
  const { known: alarmed } = judge(null, forged, 10);
  assert.deepEqual([alarmed.code, alarmed.alarms], [null, [{ at: 10, tree: forged.tree, was: null, is: forged.sha256 }]]);
  // As an earlier version remembered it.
  for (const before of [alarmed, { ...alarmed, code: code(forged) }]) {
    const { known: after, news } = judge(before, seen(1), 20);
    assert.deepEqual([news, after.code, after.since, after.alarms, after.changes], ['nothing', code(seen(1)), 20, alarmed.alarms, []]);
    assert.equal(judge(after, forged, 30).known.code, after.code);
  }
});

test('a page that comes without its files three looks in a row is an alarm, told once, and a look that succeeds begins the count anew', () => {
  const withheld = { tree: seen(1).tree, sha256: null, isTrue: false };
  const newsOf = (begin, looks) => {
    let kept = begin;
    const news = looks.map((each, number) => {
      const judged = judge(kept, each, 100 + number);
      kept = judged.known;
      return judged.news;
    });
    return { kept, news };
  };
  const { known: before } = judge(null, seen(1), 10);
  for (const begin of [before, null]) {
    const { kept, news } = newsOf(begin, [withheld, withheld, withheld, withheld]);
    assert.deepEqual(news, ['nothing', 'nothing', 'alarm', 'nothing']);
    assert.deepEqual([kept.alarms, kept.code, kept.lookedAt], [[{ at: 102, tree: withheld.tree, was: null, is: null }], begin?.code ?? null, 103]);
  }
  assert.deepEqual(newsOf(before, [withheld, withheld, seen(1), withheld, withheld]).news, Array(5).fill('nothing'));
  const again = newsOf(before, [withheld, withheld, withheld, seen(1), withheld, withheld, withheld]);
  assert.deepEqual([again.news.filter((each) => each === 'alarm').length, again.kept.alarms.map(({ at }) => at)], [2, [106, 102]], 'a second time is told, too');
});

test('no more is remembered than somebody reads', () => {
  let kept = null;
  for (let number = 0; number < 60; number += 1) ({ known: kept } = judge(kept, { tree: `${number}.`, sha256: `${number}.`, isTrue: number % 2 === 0 }, number));
  assert.deepEqual([kept.changes.length, kept.alarms.length, kept.changes[0].at], [20, 20, 58]);
});

test('what is remembered is there at the next look', async () => {
  const factory = new IDBFactory();
  assert.equal(await known(factory), null);
  assert.equal(await remember(factory, seen(1), 1), 'nothing');
  assert.equal(await remember(factory, seen(2), 2), 'changed');
  assert.deepEqual((await known(factory)).changes.map(({ at }) => at), [2]);
});

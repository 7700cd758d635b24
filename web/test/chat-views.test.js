import assert from 'node:assert/strict';
import { test } from 'node:test';

import { setLanguage } from '../i18n/index.js';
import { allEmoji, emojiNamed, findEmoji } from '../ui/emoji.js';
import { Heights } from '../ui/heights.js';
import { splitLinks } from '../ui/links.js';
import { splitFound, splitMarked } from '../views/chat/found.js';
import { listAct } from '../views/chat/list-keys.js';
import { plainText } from '../views/chat/message-row.js';
import { arrivedSince, excerpt, newestSeq, rowFacts, splitMentions } from '../views/chat/row-facts.js';
import { Turns } from '../views/chat/turns.js';
import { offers, typedAt, withEmoji } from '../views/chat/typed.js';
import { namesIn } from '../views/usernames.js';

const hrefs = (text) => splitLinks(text).flatMap(({ href }) => href ?? []);
const joined = (pieces) => pieces.map(({ text }) => text).join('');

test('only http and https addresses become links', () => {
  assert.deepEqual(hrefs('http://a.example and https://b.example/x?y=1#z'), ['http://a.example/', 'https://b.example/x?y=1#z']);
  for (const text of ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'ftp://a.example', 'vbscript:x', 'xhttps://a.example', 'https://']) assert.deepEqual(hrefs(text), [], text);
});

test('an address that hides where it leads is no link', () => {
  assert.deepEqual(hrefs('https://bank.example@evil.example/'), []);
  assert.deepEqual(hrefs(`https://a.example/${'x'.repeat(3_000)}`), []);
  assert.deepEqual(hrefs('https://a.example/\u202egnp.exe'), ['https://a.example/']);
});

test('what ends a sentence is not part of a link, a bracket that was opened in it is', () => {
  assert.deepEqual(hrefs('(see https://a.example/b).'), ['https://a.example/b']);
  assert.deepEqual(hrefs('https://a.example/b_(c), yes'), ['https://a.example/b_(c)']);
});

test('no letter of a text is lost around its links', () => {
  for (const text of ['', 'plain', 'a https://a.example. b (https://b.example) c', 'https://x@y z https://ok.example!']) assert.equal(joined(splitLinks(text)), text);
});

test('emoji are found by the beginning of a name in both languages, ё as е', () => {
  assert.equal(findEmoji('rock', 'en', 5)[0]?.sign, '🤘');
  assert.ok(findEmoji('елка', 'ru', 5).some(({ sign }) => sign === '🌲'));
  assert.equal(emojiNamed('сердце'), '❤️');
  assert.equal(emojiNamed('no_such_thing'), null);
});

test('every emoji is there once and has a name in each language', () => {
  for (const language of ['en', 'ru']) {
    const all = allEmoji(language);
    assert.equal(new Set(all.map(({ sign }) => sign)).size, all.length);
    for (const { sign, name } of all) assert.match(name, language === 'ru' ? /^[а-яё_]+$/ : /^[a-z_]+$/, sign);
  }
});

test('heights agree with adding them up, whatever was measured, prepended or dropped', () => {
  let seed = 42;
  const random = (most) => (seed = (seed * 48_271) % 2_147_483_647) % most;
  const heights = new Heights(50);
  let plain = [];
  for (let round = 0; round < 300; round += 1) {
    const before = random(4) === 0 ? random(30) - 10 : 0;
    const shift = Math.max(before, -plain.length);
    const kept = shift >= 0 ? [...Array(shift).fill(50), ...plain] : plain.slice(-shift);
    const length = Math.max(0, kept.length + random(20) - 6);
    plain = Array.from({ length }, (_, index) => kept[index] ?? 50);
    heights.resize(length, shift);
    for (let count = 0; count < 5 && length > 0; count += 1) {
      const [index, height] = [random(length), 10 + random(200)];
      heights.set(index, height);
      plain[index] = height;
    }
    const at = random(length + 1);
    const offset = plain.slice(0, at).reduce((sum, height) => sum + height, 0);
    assert.equal(heights.offset(at), offset);
    if (at < length) assert.equal(heights.indexAt(offset), at);
    if (at < length) assert.equal(heights.indexAt(offset + (plain[at] ?? 0) - 1), at);
  }
});

const HOUR = 3_600_000;
const message = (over) => ({ id: 'm', seq: 1, sender: 'a', own: false, sentAt: new Date(2026, 2, 3, 12).getTime(), kind: 'text', notice: null, replyTo: null, ...over });

test('messages of one person close together stand under one name, after a day, an answer or the unread line not', () => {
  const first = message({});
  const next = message({ id: 'n', sentAt: first.sentAt + 60_000 });
  assert.deepEqual(rowFacts(first, next, null), { day: false, grouped: true, unreadLine: false });
  assert.equal(rowFacts(first, { ...next, sender: 'b' }, null).grouped, false);
  assert.equal(rowFacts(first, { ...next, replyTo: 'm' }, null).grouped, false);
  assert.equal(rowFacts(first, { ...next, sentAt: first.sentAt + HOUR }, null).grouped, false);
  assert.deepEqual(rowFacts(first, next, 'n'), { day: false, grouped: false, unreadLine: true });
  assert.deepEqual(rowFacts(first, { ...next, sentAt: first.sentAt + 24 * HOUR }, null), { day: true, grouped: false, unreadLine: false });
  assert.equal(rowFacts(undefined, first, null).day, true);
});

test('a row of an encrypted room says why there is no message, and is nobody’s news', () => {
  const row = (notice) => message({ id: 'n', seq: 9, kind: 'unknown', notice, text: '', files: [] });
  const said = ['plain', 'before', 'later', 'refused'].map((notice) => plainText(row(notice)));
  assert.equal(new Set([...said, plainText(row(null))]).size, 5);
  assert.deepEqual(arrivedSince({ length: 1, at: () => row('plain') }, 0, 10), []);
  assert.equal(arrivedSince({ length: 1, at: () => row(null) }, 0, 10).length, 1);
  assert.equal(rowFacts(message({}), row('plain'), null).grouped, false);
});

test('only those who are mentioned are marked', () => {
  const pieces = splitMentions('@Anna, not @boris or mail@anna.', new Set(['anna']));
  assert.equal(joined(pieces), '@Anna, not @boris or mail@anna.');
  assert.equal(pieces[0]?.mention, 'anna');
  assert.equal(pieces.filter(({ mention }) => mention !== null).length, 1);
});

test('a long message is cut between letters', () => {
  assert.equal(excerpt('a\n\n b'), 'a b');
  assert.ok(excerpt('😀'.repeat(500)).endsWith('😀…'));
});

test('what arrived is of others, after what was seen, and no more than is counted', () => {
  const all = [1, 2, 3, 4, 5].map((seq) => message({ id: `m${seq}`, seq, own: seq === 4 }));
  const waiting = message({ id: 'w', seq: null, own: true });
  const list = { length: 6, at: (index) => [...all, waiting][index] };
  assert.deepEqual(arrivedSince(list, 2, 10).map(({ id }) => id), ['m5', 'm3']);
  assert.equal(arrivedSince(list, 0, 2).length, 2);
  assert.equal(newestSeq(list), 5);
});

test('announcements come at most once in their time', () => {
  const turns = new Turns(3_000);
  assert.equal(turns.ask(0), 0);
  assert.equal(turns.ask(1_000), 2_000);
  assert.equal(turns.ask(3_000), 0);
  assert.equal(turns.ask(3_001), 2_999);
});

test('a name is completed at the cursor, and only where a name may begin', () => {
  assert.deepEqual(typedAt('hello @bo there', 9), { kind: 'person', typed: 'bo', from: 6, to: 9 });
  assert.equal(typedAt('mail@bo', 7), null);
  assert.deepEqual(typedAt('so :smi', 7), { kind: 'emoji', typed: 'smi', from: 3, to: 7 });
  assert.equal(typedAt('12:30', 5), null);
  assert.equal(typedAt('so :s', 5), null);
});

test('those whose names begin so are offered first, oneself never', () => {
  setLanguage('en');
  const members = ['anna', 'roboris', 'boris', 'bo'].map((username) => ({ user: username, username }));
  assert.deepEqual(offers({ kind: 'person', typed: 'bo', from: 0, to: 3 }, members, 'bo').map(({ label }) => label), ['boris', 'roboris']);
});

test('names between colons become emoji, times and unknown names stay', () => {
  assert.equal(withEmoji('ok :heart: at 12:30:45 :nothing_such:'), 'ok ❤️ at 12:30:45 :nothing_such:');
});

test('what was searched for is in the line that is shown, and marked', () => {
  const pieces = splitFound(`${'before '.repeat(60)}the Ёлка tree`, 'елк');
  assert.deepEqual(pieces.filter(({ found }) => found).map(({ text }) => text), ['Ёлка']);
});

test('marks are where the search finds: without regard to case, ё, or accents, at the beginning of words', () => {
  const found = (text, searched) => splitMarked(text, searched).flatMap((piece) => (piece.found ? [piece.text] : []));
  assert.deepEqual(found('Ёлка, елка and ЕЛКИ; not под ёлочкой? мой', 'ёлк'), ['Ёлка', 'елка', 'ЕЛКИ']);
  assert.deepEqual(found('Café au lait, CAFE, decaf', 'cafe'), ['Café', 'CAFE']);
  assert.deepEqual(found('Straße und Tor', 'tor stra'), ['Straße', 'Tor']);
  assert.deepEqual(found('мой мои', 'мой'), ['мой']);
  for (const text of ['', 'a  b\nc — «d»', '😀 x']) assert.equal(joined(splitMarked(text, 'x')), text);
  assert.deepEqual(splitMarked('plain', '  '), [{ text: 'plain', found: false }]);
});

test('keys of the list: through the messages, the menu of one, and back to where one writes', () => {
  const pressed = (key, focus, held = {}) => listAct({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...held }, focus);
  for (const focus of ['list', 'row', 'inside']) assert.deepEqual(['ArrowUp', 'ArrowDown', 'Home', 'End'].map((key) => pressed(key, focus)), ['older', 'newer', 'first', 'last']);
  assert.deepEqual(['list', 'row', 'inside'].map((focus) => pressed('Escape', focus)), ['to-composer', 'to-composer', 'to-row']);
  assert.deepEqual(['Enter', 'ContextMenu', 'Delete'].map((key) => pressed(key, 'row')), ['menu', 'menu', 'remove']);
  assert.equal(pressed('F10', 'row', { shiftKey: true }), 'menu');
  // A button or a link in a message keeps its own Enter, and the browser its own shortcuts.
  assert.deepEqual([pressed('Enter', 'inside'), pressed('Delete', 'inside'), pressed('Enter', 'list'), pressed('ArrowUp', 'row', { altKey: true }), pressed('a', 'row')], [null, null, null, null, null]);
});

test('usernames are taken as people type them, each once', () => {
  assert.deepEqual(namesIn(' @anna, boris;clara\nanna '), ['anna', 'boris', 'clara']);
});

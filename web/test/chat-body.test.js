import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MAX_BODY_BYTES, isEmoji, parseBody, writeBody } from '../state/chat/body.js';
import { mentionsIn } from '../state/chat/mentions.js';
import { openLog, openSealer } from '../state/chat/seal.js';
import { randomUuid } from '../state/chat/uuid.js';
import { ANNA, BORIS, ROOM, uuid } from './chat-server.js';

const parse = (value) => parseBody(typeof value === 'string' ? value : JSON.stringify(value));
const text = (fields) => parse({ v: 1, type: 'text', text: 'hello', ...fields });
const file = (fields) => ({ id: uuid(9), name: 'a.png', type: 'image/png', size: 10, ...fields });

test('what is written is read as it was meant', () => {
  const bodies = [
    { type: 'text', text: 'Привет 👋\n"quoted"', replyTo: uuid(1), mentions: [ANNA], files: [file({ width: 4, height: 3, thumbnail: 'data:image/webp;base64,AAAA' })] },
    { type: 'text', text: '', replyTo: null, mentions: [], files: [file()] },
    { type: 'edit', of: uuid(1), text: 'better', mentions: [] },
    { type: 'reaction', to: uuid(1), emoji: '👩🏽‍🚀', on: false },
  ];
  for (const body of bodies) assert.deepEqual(parseBody(writeBody(body)), body);
});

test('what is hostile, broken or of another version is unknown', () => {
  const bad = [
    '', 'null', '[]', '1', '{', '"text"', '{"v":1}', { v: 2, type: 'text', text: 'x' }, { v: '1', type: 'text', text: 'x' }, { v: 1, type: 'sticker' },
    { v: 1, type: 'text' }, { v: 1, type: 'text', text: 1 }, { v: 1, type: 'text', text: '  \n' }, { v: 1, type: 'text', text: ['x'] },
    { v: 1, type: 'edit', of: 'x', text: 'x' }, { v: 1, type: 'edit', text: 'x' }, { v: 1, type: 'reaction', to: uuid(1), emoji: 'x', on: true },
    { v: 1, type: 'reaction', to: uuid(1), emoji: '👍', on: 1 }, { v: 1, type: 'reaction', to: uuid(1).toUpperCase().replace('0', 'A'), emoji: '👍', on: true },
    { v: 1, type: 'reaction', to: uuid(1), emoji: '👍'.repeat(21), on: true },
  ];
  for (const value of bad) assert.equal(parse(value).type, 'unknown', JSON.stringify(value));
  const badFields = [
    { reply_to: 1 }, { reply_to: 'x' }, { reply_to: null }, { mentions: 'x' }, { mentions: ['x'] }, { mentions: Array(51).fill(ANNA) }, { files: {} }, { files: [null] },
    { files: Array(11).fill(file()) }, { files: [file({ id: '../x' })] }, { files: [file({ size: -1 })] }, { files: [file({ size: 1.5 })] }, { files: [file({ name: 'x'.repeat(256) })] },
    { files: [file({ width: 0, height: 1 })] }, { files: [file({ thumbnail: 'data:image/svg+xml;base64,AAAA' })] }, { files: [file({ thumbnail: 'https://example.org/a.jpg' })] },
    { files: [file({ thumbnail: `data:image/jpeg;base64,${'A'.repeat(8_192)}` })] },
  ];
  for (const fields of badFields) assert.equal(text(fields).type, 'unknown', JSON.stringify(fields).slice(0, 100));
});

test('a body is limited in bytes, not in characters', () => {
  const fits = (letter, size) => writeBody({ type: 'text', text: letter.repeat(size), replyTo: null, mentions: [], files: [] }) !== null;
  const frame = JSON.stringify({ v: 1, type: 'text', text: '' }).length;
  assert.ok(fits('x', MAX_BODY_BYTES - frame) && !fits('x', MAX_BODY_BYTES - frame + 1));
  assert.ok(fits('ж', (MAX_BODY_BYTES - frame) >> 1) && !fits('ж', ((MAX_BODY_BYTES - frame) >> 1) + 1));
});

test('a name of a file cannot pretend to be another', () => {
  const [shown] = text({ files: [file({ name: 'photo\u202Egpj.exe' })] }).files;
  assert.equal(shown.name, 'photo_gpj.exe');
  assert.equal(text({ files: [file({ name: '../../etc/passwd' })] }).files[0].name, '.._.._etc_passwd');
  assert.equal(text({ files: [file({ type: 'text/html"><script>' })] }).files[0].type, 'application/octet-stream');
});

test('names of an object are no way in', () => {
  const body = parse('{"v":1,"type":"text","text":"x","__proto__":{"polluted":true},"constructor":{"x":1}}');
  assert.equal(body.type, 'text');
  assert.equal({}.polluted, undefined);
  assert.deepEqual(Object.keys(body).sort(), ['files', 'mentions', 'replyTo', 'text', 'type']);
});

test('an emoji is an emoji, and a digit is none', () => {
  for (const emoji of ['👍', '❤️', '🇷🇺', '1️⃣', '👨‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '👋🏿']) assert.ok(isEmoji(emoji), emoji);
  for (const other of ['', '1', '#', 'ok', 'да', ' 👍', '👍 ', '<b>', '\u202e', 7, null]) assert.ok(!isEmoji(other), String(other));
});

test('somebody in the room is mentioned by name, and nobody by an address of mail', () => {
  const people = [{ user: ANNA, username: 'Anna' }, { user: BORIS, username: 'boris.b' }];
  assert.deepEqual(mentionsIn('@anna, and @BORIS.B.', people), [ANNA, BORIS]);
  assert.deepEqual(mentionsIn('(@anna) @anna @@anna @nobody', people), [ANNA]);
  assert.deepEqual(mentionsIn('mail@anna anna@anna.org @annabel', people), []);
});

test('bytes that are no text open as nothing, and every text comes back', async () => {
  const entry = { id: ANNA, seq: 1, kind: 'message', sender: ANNA, sent_at: 1, target: null };
  const open = async (body) => (await openLog.look(ROOM, { ...entry, body })).content;
  assert.equal(await open('_w'), '');
  assert.equal(await open('*'), '');
  for (const sample of ['', 'x', 'ж👋', '\u0000\ufeff', 'y'.repeat(30_000)]) assert.equal(await open(await openSealer.seal(ROOM, ANNA, sample)), sample);
});

test('an id made here is a UUID of version 4', () => {
  const ids = new Set(Array.from({ length: 1_000 }, randomUuid));
  assert.equal(ids.size, 1_000);
  for (const id of ids) assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

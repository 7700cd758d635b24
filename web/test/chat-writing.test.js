import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../net/api.js';
import { setLanguage } from '../i18n/index.js';
import { writingOf } from '../state/chat/writing.js';
import { isSilenced, nextChangeMs, writingText } from '../views/chat/writing-text.js';
import { refusedIn } from '../views/chat/row-facts.js';
import { ANNA, FakeBrowser, FakeServer, ME, ROOM, quiet, textBody, until } from './chat-server.js';

const NEVER = { wroteAt: -Infinity, refusedUntil: -Infinity };
const room = (fields) => ({ kind: 'room', role: 'member', locked: false, chat_muted: false, slow_mode_s: 0, ...fields });
const state = (fields, pace = NEVER, now = 0) => writingOf(fields && room(fields), pace, now).state;

test('a member cannot write in a locked room, muted, or after having left it; moderators and owners can', () => {
  assert.deepEqual([state({}), state({ locked: true }), state({ chat_muted: true }), state(null)], ['open', 'room_locked', 'chat_muted', 'no_member']);
  for (const role of ['moderator', 'owner']) assert.equal(state({ role, locked: true, slow_mode_s: 60 }, { ...NEVER, wroteAt: 0 }, 1), 'open');
  assert.equal(state({ role: 'moderator', chat_muted: true }), 'chat_muted');
});

test('slow mode counts from the last message of this user, and the word of the server goes before', () => {
  const slow = room({ slow_mode_s: 30 });
  assert.deepEqual(writingOf(slow, { ...NEVER, wroteAt: 1_000 }, 5_000), { state: 'slow', untilMs: 31_000, everyS: 30 });
  assert.equal(writingOf(slow, { ...NEVER, wroteAt: 1_000 }, 31_000).state, 'open');
  assert.equal(writingOf(slow, { wroteAt: 1_000, refusedUntil: 33_000 }, 31_000).untilMs, 33_000);
  // A pause that was shortened, or a clock that was wrong, never locks anybody out for longer than a pause.
  assert.equal(writingOf(slow, { wroteAt: 9_000_000, refusedUntil: 9_000_000 }, 0).untilMs, 30_000);
});

test('the wait is said in seconds under a minute and in minutes above, in both languages', () => {
  for (const [language, seconds, minutes] of [['en', 'in 23 seconds', 'in 5 minutes'], ['ru', 'через 23 секунды', 'через 5 минут']]) {
    setLanguage(language);
    assert.ok(writingText({ state: 'slow', untilMs: 23_000, everyS: 60 }, 0).endsWith(seconds));
    assert.ok(writingText({ state: 'slow', untilMs: 290_000, everyS: 600 }, 0).endsWith(minutes));
  }
  setLanguage('en');
  assert.equal(writingText({ state: 'open', untilMs: null, everyS: 0 }, 0), '');
  assert.match(writingText({ state: 'open', untilMs: null, everyS: 30 }, 0), /30 seconds/);
});

test('the line is drawn when its text changes, not more often', () => {
  let draws = 0;
  const texts = new Set();
  for (let left = 3 * 60_000; left > 0; left -= nextChangeMs(left)) {
    draws += 1;
    texts.add(writingText({ state: 'slow', untilMs: left, everyS: 600 }, 0));
  }
  assert.equal(draws, texts.size);
  assert.ok(draws < 65, String(draws));
});

test('in slow mode an edit may be written, where one is silenced nothing', () => {
  assert.deepEqual(['open', 'slow', 'room_locked', 'chat_muted', 'no_member'].map((each) => isSilenced({ state: each })), [false, false, true, true, true]);
});

async function windowOf(context, fields, options = {}) {
  const server = new FakeServer();
  server.addRoom(ROOM, { role: 'member', ...fields });
  server.post(ANNA, textBody('hello'), { quietly: true });
  const opened = await new FakeBrowser().open(server, options);
  context.after(() => opened.close());
  return { ...opened, server, room: opened.chat.conversation(ROOM) };
}

test('what was sent starts the pause, and what the server refuses tells how long it is', async (context) => {
  let now = 5_000_000;
  const { server, room: conversation } = await windowOf(context, { slow_mode_s: 20 }, { device: { now: () => now } });
  assert.equal(conversation.writing.state, 'open');
  const id = await conversation.send({ text: 'first' });
  await until(() => conversation.find(id)?.state === 'sent');
  assert.deepEqual(conversation.writing, { state: 'slow', untilMs: now + 20_000, everyS: 20 });
  now += 20_000;
  assert.equal(conversation.writing.state, 'open');
  server.hook = async (method) => {
    if (method === 'POST') throw new ApiError('slow_mode', 429, 7);
  };
  await conversation.send({ text: 'too soon after all' });
  await until(() => conversation.writing.state === 'slow');
  assert.equal(conversation.writing.untilMs, now + 7_000);
});

test('what was written before a reload counts too', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { role: 'member', slow_mode_s: 60 });
  const { sent_at: sentAt } = server.post(ME, textBody('before'), { quietly: true });
  const opened = await new FakeBrowser().open(server, { device: { now: () => sentAt + 10_000 } });
  context.after(() => opened.close());
  assert.equal(opened.chat.conversation(ROOM).writing.untilMs, sentAt + 60_000);
});

test('a lock, a muting and a new role are known as soon as the room is fetched again', async (context) => {
  const { server, room: conversation } = await windowOf(context, {});
  const states = [];
  conversation.addEventListener('change', () => states.push(conversation.writing.state));
  for (const fields of [{ locked: true }, { role: 'moderator' }, { chat_muted: true }]) {
    server.rooms.set(ROOM, { ...server.rooms.get(ROOM), room: { ...server.rooms.get(ROOM).room, ...fields } });
    server.tell({ type: 'room_changed', room: ROOM });
    await quiet();
  }
  assert.deepEqual([...new Set(states)], ['room_locked', 'open', 'chat_muted']);
  assert.equal(conversation.role, 'moderator');
});

test('who is removed keeps what was not sent in front of them, as not sent, and can only put it aside', async (context) => {
  const window = await windowOf(context, {});
  const { server, room: conversation, rooms, socket } = window;
  server.online = false;
  socket.down();
  const id = await conversation.send({ text: 'a long letter' });
  const other = await conversation.send({ text: 'another' });
  server.online = true;
  server.rooms.delete(ROOM);
  await rooms.load();
  assert.equal(window.chat.conversation(ROOM), null);
  assert.deepEqual([conversation.writing.state, conversation.find(id).state, conversation.find(id).code, conversation.find(id).text], ['no_member', 'failed', 'room_not_found', 'a long letter']);
  assert.deepEqual(refusedIn(conversation).map(({ id: each }) => each), [other, id]);
  await assert.rejects(conversation.retry(id), { code: 'room_not_found' });
  await assert.rejects(conversation.send({ text: 'one more' }), { code: 'room_not_found' });
  await conversation.discard(id);
  assert.equal(conversation.find(id), undefined);
  assert.equal(conversation.find(other).text, 'another');
});

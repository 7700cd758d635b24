import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MAX_CATCH_UP } from '../state/chat/sync.js';
import { ANNA, BORIS, FakeBrowser, FakeServer, ME, ROOM, opened, quiet, textBody, until, uuid } from './chat-server.js';

const texts = (conversation) => conversation.slice(0, conversation.length).map(({ text }) => text);
const OTHER = uuid(101);

function serverWith(count) {
  const server = new FakeServer();
  server.addRoom();
  for (let number = 1; number <= count; number += 1) server.post(ANNA, textBody(`message ${number}`), { quietly: true });
  return server;
}

/** Windows are closed at the end, whatever happened. */
async function windowOf(context, server, options = {}) {
  const { browser = new FakeBrowser(), ...rest } = options;
  const opened = await browser.open(server, rest);
  context.after(() => opened.close());
  return { ...opened, browser, room: opened.chat.conversation(ROOM) };
}

test('the newest messages are there first, and older ones on demand', async (context) => {
  const server = serverWith(450);
  server.hook = async (_method, path) => (path.includes('before=') ? new Promise(() => {}) : undefined);
  const { room } = await windowOf(context, server);
  assert.deepEqual([room.length, room.at(0).text, room.at(99).text], [100, 'message 351', 'message 450']);
  assert.ok(room.hasMoreBefore);
  server.hook = async () => {};
  await room.loadBefore();
  assert.deepEqual([room.length, room.at(0).text], [300, 'message 151']);
  while (room.hasMoreBefore) await room.loadBefore();
  assert.deepEqual(texts(room), Array.from({ length: 450 }, (_, index) => `message ${index + 1}`));
});

test('a live message is shown, and a gap before it is fetched', async (context) => {
  const server = serverWith(3);
  const { room } = await windowOf(context, server);
  server.post(ANNA, textBody('live'));
  await until(() => room.length === 4);
  server.post(BORIS, textBody('lost on the way'), { quietly: true });
  server.post(BORIS, textBody('after the gap'));
  await until(() => room.length === 6);
  assert.deepEqual(texts(room).slice(-3), ['live', 'lost on the way', 'after the gap']);
});

test('what is shown never has a gap, not even while it is being filled', async (context) => {
  const server = serverWith(3);
  const { room } = await windowOf(context, server);
  let release = () => {};
  server.hook = (_method, path) => (path.includes('after=') ? new Promise((resolve) => (release = resolve)) : Promise.resolve());
  server.post(BORIS, textBody('missing'), { quietly: true });
  server.post(BORIS, textBody('ahead'));
  await until(() => server.asked.some((each) => each.includes('after=3')));
  assert.equal(room.length, 3);
  release();
  await until(() => room.length === 5);
  assert.deepEqual(texts(room).slice(-2), ['missing', 'ahead']);
});

test('a window that comes back fetches only what it missed', async (context) => {
  const server = serverWith(120);
  const { room, socket, chat } = await windowOf(context, server);
  socket.down();
  assert.equal(chat.status, 'offline');
  for (const number of [1, 2, 3]) server.post(ANNA, textBody(`missed ${number}`));
  await quiet();
  server.asked = [];
  socket.up();
  await until(() => room.length === 103);
  assert.deepEqual(server.asked.filter((each) => each.includes('/messages')), [`GET rooms/${ROOM}/messages?after=120&limit=200`]);
});

test('a server that says that hints were lost is compared again', async (context) => {
  const server = serverWith(1);
  const { room } = await windowOf(context, server);
  server.post(ANNA, textBody('hint lost'), { quietly: true });
  server.tell({ type: 'resync' });
  await until(() => room.length === 2);
});

test('after lost hints who is there is asked anew, and who was there is forgotten', async (context) => {
  const server = serverWith(1);
  const { chat, room, socket } = await windowOf(context, server);
  chat.watch(ROOM);
  server.tell({ type: 'presence', room: ROOM, users: [{ user: ANNA, state: 'online' }] });
  await until(() => room.presenceOf(ANNA) === 'online');
  socket.asked = [];
  server.tell({ type: 'resync' });
  await until(() => socket.asked.some(({ type, room: watched }) => type === 'watch' && watched === ROOM));
  assert.equal(room.presenceOf(ANNA), 'offline');
});

test('a server that had too much to do is told again which conversation is on the screen', async (context) => {
  const { chat, socket } = await windowOf(context, serverWith(1));
  const answer = socket.request.bind(socket);
  const refusals = [Object.assign(new Error('busy'), { code: 'busy' })];
  socket.request = async (message) => {
    const answered = await answer(message);
    if (message.type === 'watch' && refusals.length > 0) throw refusals.pop();
    return answered;
  };
  socket.asked = [];
  context.mock.timers.enable({ apis: ['setTimeout'] });
  chat.watch(ROOM);
  const watched = () => socket.asked.filter(({ type }) => type === 'watch').map(({ room }) => room);
  await quiet();
  assert.deepEqual(watched(), [ROOM]);
  context.mock.timers.tick(1_000);
  assert.deepEqual(watched(), [ROOM, ROOM]);
});

test('who missed too much starts at the newest page, and the gap is filled behind it', async (context) => {
  const server = serverWith(150);
  const { room, socket, chat } = await windowOf(context, server);
  socket.down();
  for (let number = 151; number <= 151 + MAX_CATCH_UP; number += 1) server.post(ANNA, textBody(`message ${number}`), { quietly: true });
  const reasons = [];
  room.addEventListener('change', ({ detail }) => reasons.push(detail.reason));
  socket.up();
  await until(() => reasons.includes('reset'));
  assert.deepEqual([room.length, room.at(99).text], [100, `message ${151 + MAX_CATCH_UP}`]);
  await until(() => chat.status === 'online');
  while (room.hasMoreBefore) await room.loadBefore();
  assert.deepEqual(texts(room), Array.from({ length: 151 + MAX_CATCH_UP }, (_, index) => `message ${index + 1}`));
});

test('a reload shows the local copy without the server', async (context) => {
  const server = serverWith(30);
  const browser = new FakeBrowser();
  const first = await browser.open(server);
  first.chat.conversation(ROOM).setDraft({ text: 'half a thought', replyTo: null });
  first.chat.conversation(ROOM).markRead();
  await quiet();
  first.close();
  server.online = false;
  const { room, chat } = await windowOf(context, server, { browser, connect: false });
  assert.deepEqual([room.length, room.loaded, room.draft.text], [30, true, 'half a thought']);
  assert.deepEqual([chat.status, chat.conversations[0].draft, chat.conversations[0].unread], ['offline', 'half a thought', 0]);
});

test('old history is fetched behind the scenes, and search finds it', async (context) => {
  const server = serverWith(1_000);
  const { chat } = await windowOf(context, server);
  await until(() => server.asked.filter((each) => each.includes('before=')).length === 5, 'the backfill');
  await quiet();
  const { results, total } = await chat.search('message 7');
  assert.equal(total, 111);
  assert.deepEqual([results.length, results[0].text, results[0].senderName], [50, 'message 799', null]);
});

test('a jump loads back as far as the message', async (context) => {
  const server = serverWith(900);
  const { room } = await windowOf(context, server);
  const target = server.rooms.get(ROOM).entries[9].id;
  assert.equal(await room.jumpTo(target), true);
  assert.equal(room.find(target).text, 'message 10');
  assert.equal(await room.jumpTo(uuid(99_999)), false);
});

test('a log that is shorter than the local copy was restored from a backup: nothing of the copy is kept', async (context) => {
  const server = serverWith(20);
  const { room, socket } = await windowOf(context, server);
  socket.down();
  const kept = server.rooms.get(ROOM);
  kept.entries.length = 10;
  kept.room.last_seq = 10;
  server.post(BORIS, textBody('another eleventh'));
  socket.up();
  await until(() => room.length === 11);
  assert.equal(room.at(10).text, 'another eleventh');
});

test('a list that is older than what came over the socket throws nothing away', async (context) => {
  const server = serverWith(5);
  const { room, rooms } = await windowOf(context, server);
  const old = structuredClone(server.rooms.get(ROOM).room);
  server.post(ANNA, textBody('newer'));
  await until(() => room.length === 6);
  server.hook = async (_method, path) => {
    if (path === 'rooms') server.rooms.get(ROOM).room = { ...old };
  };
  await rooms.load();
  server.rooms.get(ROOM).room.last_seq = 6;
  await quiet();
  assert.equal(room.length, 6);
});

test('what retention took away is shown no longer', async (context) => {
  const server = serverWith(50);
  const { room, rooms, chat } = await windowOf(context, server);
  await chat.search('message');
  server.rooms.get(ROOM).room.first_seq = 41;
  await rooms.load();
  await quiet();
  assert.deepEqual([room.length, room.at(0).text, room.hasMoreBefore], [10, 'message 41', false]);
  assert.equal((await chat.search('message')).total, 10);
});

test('a room that is left disappears with its local copy, a new one comes', async (context) => {
  const server = serverWith(3);
  const { chat, browser } = await windowOf(context, server);
  server.addRoom(OTHER);
  server.post(ANNA, textBody('hello'), { room: OTHER });
  server.tell({ type: 'room_changed', room: OTHER });
  await until(() => chat.conversation(OTHER)?.length === 1);
  server.rooms.delete(ROOM);
  server.tell({ type: 'room_changed', room: ROOM });
  await until(() => chat.conversation(ROOM) === null);
  await quiet();
  const storage = await browser.device().open(ME);
  assert.deepEqual(await storage.entries(ROOM, 1, 10), []);
  storage.close();
});

test('at log-out nothing of the account stays in the browser', async () => {
  const server = serverWith(3);
  const browser = new FakeBrowser();
  const { chat, socket, signOut } = await browser.open(server);
  signOut();
  await quiet();
  assert.deepEqual([chat.conversations, socket.closed, await browser.factory.databases()], [null, true, []]);
});

test('the list is sorted by the newest message and counts what others wrote', async (context) => {
  const server = serverWith(3);
  server.addRoom(OTHER, { kind: 'direct', name: '', people: [{ user: ME, username: 'me.myself' }, { user: BORIS, username: 'boris' }] });
  const { chat } = await windowOf(context, server);
  for (let number = 0; number < 4; number += 1) server.post(BORIS, textBody('psst @me.myself', { mentions: [ME] }), { room: OTHER });
  await until(() => chat.conversations[0].unread === 4);
  const [first, second] = chat.conversations;
  assert.deepEqual([first.title, first.kind, first.mentions, first.last.text, first.last.senderName], ['boris', 'direct', 4, 'psst @me.myself', 'boris']);
  assert.deepEqual([second.id, second.unread, chat.unread], [ROOM, 3, { messages: 7, mentions: 4 }]);
});

test('a read marker is told to the server, follows other windows, and is told later when there is no connection', async (context) => {
  const server = serverWith(5);
  const { room, socket, chat } = await windowOf(context, server);
  assert.equal(room.firstUnreadId, room.at(0).id);
  server.tell({ type: 'read', room: ROOM, read_seq: 2 });
  assert.equal(chat.conversations[0].unread, 3);
  socket.down();
  room.markRead();
  assert.equal(chat.conversations[0].unread, 0);
  socket.up();
  await until(() => socket.asked.some(({ type, seq }) => type === 'mark_read' && seq === 5));
});

test('the unread line stays where it was while somebody reads', async (context) => {
  const server = serverWith(5);
  const { room, chat } = await windowOf(context, server);
  chat.watch(ROOM);
  room.markRead();
  assert.equal(room.firstUnreadId, room.at(0).id);
  chat.watch(null);
  assert.equal(room.firstUnreadId, null);
});

test('who looks at a conversation learns its members and who is there, and says so again on a new connection', async (context) => {
  const server = serverWith(1);
  const { room, chat, socket } = await windowOf(context, server);
  chat.watch(ROOM);
  await until(() => room.nameOf(ANNA) === 'anna');
  server.tell({ type: 'presence', room: ROOM, users: [{ user: ANNA, state: 'in_call' }] });
  assert.deepEqual([room.presenceOf(ANNA), room.presenceOf(BORIS)], ['in_call', 'offline']);
  server.tell({ type: 'presence', room: ROOM, users: [{ user: ANNA, state: 'offline' }] });
  assert.equal(room.presenceOf(ANNA), 'offline');
  socket.down();
  socket.up(false);
  assert.equal(socket.asked.filter(({ type }) => type === 'watch').length, 2);
  socket.down();
  chat.watch(null);
  socket.up(true);
  assert.deepEqual(socket.asked.filter(({ type }) => type === 'watch').at(-1), { type: 'watch', room: null });
});

test('typing is told of the watched conversation, every three seconds at most, and ends with the message', async (context) => {
  const server = serverWith(1);
  const { room, socket, chat } = await windowOf(context, server);
  room.typing();
  assert.equal(socket.asked.filter(({ type }) => type === 'typing').length, 0);
  chat.watch(ROOM);
  for (let stroke = 0; stroke < 5; stroke += 1) room.typing();
  assert.equal(socket.asked.filter(({ type }) => type === 'typing').length, 1);
  server.tell({ type: 'typing', room: ROOM, user: ANNA });
  server.tell({ type: 'typing', room: ROOM, user: ME });
  assert.deepEqual(room.typingUsers, [ANNA]);
  server.post(ANNA, textBody('done'));
  await until(() => room.typingUsers.length === 0);
});

test('a deleted message is gone from the page, from the local copy and from search, with its edits', async (context) => {
  const server = serverWith(1);
  const { room, chat, browser } = await windowOf(context, server);
  const id = await room.send({ text: 'regrettable' });
  await room.edit(id, 'regrettable still');
  await until(() => room.find(id)?.seq && room.find(id).editState === 'sent' && room.find(id).edited.length === 1);
  assert.equal((await chat.search('regret')).total, 1);
  await room.remove(id);
  assert.equal(room.find(id).kind, 'deleted');
  assert.equal((await chat.search('regret')).total, 0);
  assert.equal(server.asked.filter((each) => each.startsWith('DELETE')).length, 2);
  const storage = await browser.device().open(ME);
  assert.ok(!JSON.stringify(await storage.entries(ROOM, 1, 99)).includes('regret'));
  storage.close();
});

test('of a deleted message a device that comes later shows nothing, one that had it does, also after a reload', async (context) => {
  const server = serverWith(1);
  const { room, browser } = await windowOf(context, server);
  const id = await room.send({ text: 'regrettable' });
  await room.edit(id, 'regrettable still');
  await room.react(id, '👍', true);
  await until(() => room.find(id)?.seq && room.find(id).editState === 'sent' && room.find(id).reactions.length === 1 && server.rooms.get(ROOM).entries.length === 4);
  await quiet();
  await room.remove(id);
  assert.equal(server.asked.filter((each) => each.startsWith('DELETE')).length, 3);
  assert.deepEqual(room.slice(0, 9).map(({ kind }) => kind), ['text', 'deleted']);
  const later = await windowOf(context, server, { browser: new FakeBrowser() });
  assert.deepEqual(later.room.slice(0, 9).map(({ kind }) => kind), ['text']);
  const again = await windowOf(context, server, { browser });
  assert.deepEqual(again.room.slice(0, 9).map(({ kind }) => kind), ['text', 'deleted']);
});

test('pinned messages are listed though they are not loaded', async (context) => {
  const server = serverWith(300);
  const { room } = await windowOf(context, server);
  const { entries, pins } = server.rooms.get(ROOM);
  pins.push({ message: entries[0], pinned_by: ANNA, pinned_at: 5 }, { message: entries[299], pinned_by: ANNA, pinned_at: 9 });
  const listed = await room.pins();
  assert.deepEqual(listed.map(({ message, pinnedAt }) => [message.text, message.pinned, pinnedAt]), [['message 300', true, 9], ['message 1', true, 5]]);
  await room.pin(room.at(5).id);
  assert.equal(room.at(5).pinned, true);
  await room.unpin(room.at(5).id);
  assert.equal(room.at(5).pinned, false);
});

test('who was away for longer than messages are kept sees those that came meanwhile and are there', async (context) => {
  const { browser, server, ...first } = await opened(context);
  first.close();
  for (const text of ['two', 'three', 'four']) server.post(ANNA, textBody(text), { quietly: true });
  server.rooms.get(ROOM).room.first_seq = 4;
  const { room } = await opened(context, { browser, server });
  await until(() => room.length === 1);
  server.post(ANNA, textBody('five'));
  await until(() => room.length === 2);
  assert.deepEqual(room.slice(0, 2).map(({ text }) => text), ['four', 'five']);
});

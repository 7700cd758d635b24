import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { FakeDesk } from './chat-keys.js';
import { answersOf, kept, nextId, opened, ops, texts, writer } from './chat-sealed-world.js';
import { ANNA, BORIS, FakeBrowser, FakeServer, ME, ROOM, encode, quiet, textBody, until, uuid } from './chat-server.js';

test('t23 what is left out is marked, and what is repeated is not shown again', async (context) => {
  const { server, room } = await opened(context);
  const anna = writer(server, ANNA);
  const one = anna('one');
  await until(() => room.length === 1);
  anna('two', { quietly: true });
  kept(server).pop();
  server.rooms.get(ROOM).room.last_seq -= 1;
  server.post(ANNA, one.body, { id: one.id });
  anna('three');
  anna('four');
  await until(() => texts(room).includes('four'));
  assert.deepEqual(room.slice(0, room.length).map(({ text, mark }) => [text, mark]), [['one', null], ['three', 'gap'], ['four', null]]);
});

test('t23 an entry that the server gives the id of a message does not keep the message away, and a repetition is still dropped', async (context) => {
  const { server, room } = await opened(context);
  const anna = writer(server, ANNA);
  const one = { ...anna('one') };
  await until(() => room.length === 1);
  const decoys = [{ kind: 'unpin', target: one.id }, { kind: 'pin', target: one.id }, { kind: 'deletion', target: uuid(9) }];
  const ids = decoys.map((decoy, index) => {
    const id = nextId(index);
    server.append(ROOM, { id, sender: ANNA, body: null, ...decoy }, true);
    return id;
  });
  const sent = decoys.map((_, index) => anna(`after decoy ${index}`));
  assert.deepEqual(sent.map(({ id }) => id), ids, 'each decoy came before its message');
  await until(() => room.length === 4);
  assert.deepEqual(texts(room), ['one', 'after decoy 0', 'after decoy 1', 'after decoy 2']);
  // The control, behind the decoys too: the message itself again.
  server.post(ANNA, sent[0].body, { id: sent[0].id });
  server.delete(ANNA, one.id);
  server.post(ANNA, one.body, { id: one.id });
  anna('end');
  await until(() => texts(room).includes('end'));
  assert.deepEqual(room.slice(0, room.length).map(({ kind, text }) => text || kind), ['deleted', 'after decoy 0', 'after decoy 1', 'after decoy 2', 'end']);
});

test('t23 a page with numbers left out is refused whole, so that what comes after it is judged', async (context) => {
  const nothing = { id: uuid(9), seq: 10 ** 9, kind: 'unpin', sender: ANNA, sent_at: 1, body: null, target: uuid(8) };
  for (const tamper of [(entries) => [...entries, nothing], () => [nothing], (entries) => entries]) {
    const { server, room, socket } = await opened(context);
    const anna = writer(server, ANNA);
    anna('one');
    await until(() => room.length === 1);
    anna('left out', { quietly: true });
    kept(server).pop();
    server.rooms.get(ROOM).room.last_seq -= 1;
    anna('two', { quietly: true });
    let tampered = 0;
    answersOf(server, /^GET rooms\/.*after=1/, (page) => ({ ...page, entries: tampered++ === 0 ? tamper(page.entries) : page.entries }));
    socket.up();
    await until(() => tampered === 1);
    await quiet();
    socket.up();
    await until(() => room.length === 2);
    anna('three');
    await until(() => room.length === 3);
    assert.deepEqual(room.slice(0, 3).map(({ text, mark }) => [text, mark]), [['one', null], ['two', 'gap'], ['three', null]]);
  }
});

test('t23 an entry that is told again with other contents changes nothing', async (context) => {
  const { server, room, chat } = await opened(context);
  const anna = writer(server, ANNA);
  const one = anna('one');
  await until(() => room.length === 1);
  server.tell({ type: 'entry', room: ROOM, entry: { ...one, id: uuid(9), body: encode(textBody('forged')) } });
  anna('two');
  await until(() => room.length === 2);
  assert.deepEqual([texts(room), chat.refused.size], [['one', 'two'], 0]);
});

test('t23 what was judged before the keys failed keeps its mark', async (context) => {
  const { server, room, socket, desk } = await opened(context);
  const anna = writer(server, ANNA);
  anna('one');
  await until(() => room.length === 1);
  anna('left out', { quietly: true });
  kept(server).pop();
  server.rooms.get(ROOM).room.last_seq -= 1;
  anna('two', { quietly: true });
  const { id } = anna('three', { quietly: true });
  let failures = 0;
  desk.hook = async ({ op, envelope }) => {
    if (op !== 'open_message' || failures > 0 || !Buffer.from(envelope, 'base64').includes(id)) return;
    failures += 1;
    throw new KeysRefused('worker');
  };
  socket.up();
  await until(() => failures === 1);
  await until(() => room.length === 3);
  assert.deepEqual(room.slice(0, 3).map(({ text, mark }) => [text, mark]), [['one', null], ['two', 'gap'], ['three', null]]);
});

test('t23 a second window shows the mark that the first was given, though that one is slow to keep it', async (context) => {
  const [server, browser, desk] = [new FakeServer(), new FakeBrowser(), new FakeDesk(ME)];
  let gate = Promise.resolve();
  const open = async (user) => {
    const storage = await browser.device().open(user);
    const put = storage.putEntries.bind(storage);
    storage.putEntries = (...records) => gate.then(() => put(...records));
    return storage;
  };
  const windows = [await opened(context, { server, browser, desk, device: { open } }), await opened(context, { server, browser, desk })];
  const anna = writer(server, ANNA);
  anna('one');
  await until(() => windows.every(({ room }) => room.length === 1));
  anna('left out', { quietly: true });
  kept(server).pop();
  server.rooms.get(ROOM).room.last_seq -= 1;
  let release;
  gate = new Promise((resolve) => (release = resolve));
  anna('two', { quietly: true });
  server.tell({ type: 'entry', room: ROOM, entry: { ...kept(server).at(-1) } });
  await quiet();
  release();
  await until(() => windows.every(({ room }) => room.length === 2));
  assert.deepEqual(windows.map(({ room }) => room.at(1).mark), ['gap', 'gap']);
  assert.equal(ops(desk, 'open_message').length, 2, 'each was judged once');
});

test('t23 nothing takes the place of a message that was opened', async (context) => {
  const forgeries = [
    (entry) => ({ ...entry, id: uuid(9) }),
    (entry) => ({ ...entry, id: uuid(9), body: encode(textBody('forged')) }),
    (entry) => ({ ...entry, id: uuid(9), body: null }),
    (entry) => ({ ...entry, kind: 'unpin', body: null, target: uuid(8) }),
    (entry) => ({ ...entry, kind: 'deletion', body: null, target: uuid(8) }),
  ];
  for (const forge of forgeries) {
    const { server, browser, desk, ...first } = await opened(context);
    const second = await opened(context, { server, browser, desk });
    const anna = writer(server, ANNA);
    const entry = { ...anna('one', { quietly: true }) };
    const tell = (socket, told) => socket.dispatchEvent(new CustomEvent('message', { detail: { type: 'entry', room: ROOM, entry: told } }));
    tell(first.socket, entry);
    await until(() => first.room.length === 1);
    tell(second.socket, forge(entry));
    await until(() => second.room.length === 1);
    assert.deepEqual([texts(second.room), second.room.at(0).sender, [...second.chat.refused]], [['one'], ANNA, [['other_entry', 1]]]);
    const third = await opened(context, { server, browser, desk });
    assert.deepEqual(texts(third.room), ['one']);
  }
});

test('what was deleted is so in a window that hears of it only now, as its writer’s', async (context) => {
  const { server, browser, desk, ...first } = await opened(context);
  const second = await opened(context, { server, browser, desk });
  const entry = { ...writer(server, ANNA)('one', { quietly: true }) };
  const tell = (socket, told) => socket.dispatchEvent(new CustomEvent('message', { detail: { type: 'entry', room: ROOM, entry: told } }));
  tell(first.socket, entry);
  await until(() => first.room.length === 1);
  tell(second.socket, { ...entry, sender: BORIS, body: null });
  await until(() => second.room.length === 1);
  assert.deepEqual([second.room.at(0).kind, second.room.at(0).sender, second.chat.refused.size], ['deleted', ANNA, 0]);
});

test('t23 a place where something could open later is empty when that turns out to be a repetition', async (context) => {
  const { server, room, desk, keys } = await opened(context);
  const one = writer(server, ANNA)('one', { epoch: 2 });
  server.post(ANNA, one.body, { id: one.id });
  await until(() => room.length === 2);
  assert.deepEqual(texts(room), ['later', 'later']);
  desk.epoch = 2;
  keys.moved(ROOM);
  await until(() => texts(room)[0] === 'one' && room.length === 1);
});

test('t23 what is written here does not seem to wait when the server made something else of it', async (context) => {
  const { server, room, chat } = await opened(context);
  const honest = server.call.bind(server);
  const first = await room.send({ text: 'one' });
  await until(() => room.find(first)?.state === 'sent');
  const [{ body }] = kept(server);
  const lies = [['other', { body: encode(textBody('other')) }, ['one', 'plain']], ['repeated', { id: first, body }, ['one', 'plain']]];
  for (const [text, lie, seen] of lies) {
    server.call = async (method, path, asked) => {
      if (method !== 'POST') return honest(method, path, asked);
      return { ...server.append(ROOM, { id: asked.id, kind: 'message', sender: ME, target: null, ...lie }), id: asked.id };
    };
    const id = await room.send({ text });
    await until(() => room.find(id) === undefined);
    assert.deepEqual(texts(room), seen);
  }
  assert.deepEqual([...chat.refused], [['plain', 1], ['repeated', 1]]);
  server.call = honest;
  const last = await room.send({ text: 'last' });
  await until(() => room.find(last)?.state === 'sent');
});

test('what the server answers with another message is not sent', async (context) => {
  const { server, room, socket } = await opened(context);
  const honest = server.call.bind(server);
  let lies = 0;
  server.call = async (method, path, asked) => (method === 'POST' && (lies += 1) === 1 ? server.append(ROOM, { id: uuid(9), kind: 'unpin', sender: ME, target: uuid(8), body: null }) : honest(method, path, asked));
  const id = await room.send({ text: 'one' });
  await until(() => lies === 1);
  await quiet();
  assert.equal(room.find(id).state, 'waiting');
  socket.up();
  await until(() => room.find(id)?.state === 'sent');
});

test('t23 where the server’s log became shorter, the first message after it says so, and what is old is no history', async (context) => {
  const { server, room, socket, desk, browser } = await opened(context);
  const anna = writer(server, ANNA);
  for (const text of ['one', 'two', 'three']) anna(text);
  await until(() => room.length === 3);
  assert.deepEqual(room.slice(0, 3).map(({ mark }) => mark), [null, null, null], 'the control');
  kept(server).length = 2;
  server.rooms.get(ROOM).room.last_seq = 2;
  desk.hook = async ({ op, envelope }) => {
    if (op === 'open_message' && Buffer.from(envelope, 'base64').includes(kept(server)[0].id)) throw new KeysRefused('past_epoch');
  };
  socket.up();
  await until(() => room.length === 2);
  anna('four');
  await until(() => room.length === 3);
  const marks = [['refused', null], ['two', 'fork'], ['four', null]];
  assert.deepEqual(room.slice(0, 3).map(({ text, notice, mark }) => [notice ?? text, mark]), marks);
  const { room: again } = await opened(context, { server, desk, browser });
  assert.deepEqual(again.slice(0, 3).map(({ text, notice, mark }) => [notice ?? text, mark]), marks);
});

test('an old list of rooms brings no entry ahead of those before it', async (context) => {
  const { server, room, socket, desk } = await opened(context);
  const anna = writer(server, ANNA);
  const ids = [anna('one').id, anna('two').id];
  await until(() => room.length === 2);
  ids.push(anna('three', { quietly: true }).id, anna('four', { quietly: true }).id);
  let lists = 0;
  answersOf(server, /^GET rooms$/, ({ rooms }) => ({ rooms: rooms.map((each) => ({ ...each, last_seq: (lists += 1) === 1 ? 1 : each.last_seq })) }));
  socket.up();
  await until(() => server.asked.some((each) => each.endsWith('limit=1')));
  await quiet();
  socket.up();
  await until(() => room.length === 4);
  assert.deepEqual(ops(desk, 'open_message'), ids.map((id) => `open_message ${id}`));
  assert.deepEqual(room.slice(0, 4).map(({ mark }) => mark), [null, null, null, null]);
});

test('t23 where the server says that it has none of the log any more, the first message after it says so', async (context) => {
  const first = await opened(context);
  const { server, desk, browser } = first;
  const anna = writer(server, ANNA);
  for (const text of ['one', 'two']) anna(text);
  await until(() => first.room.length === 2);
  first.close();
  for (const text of ['three', 'four']) anna(text, { quietly: true });
  server.rooms.get(ROOM).room.first_seq = 3;
  const second = await opened(context, { server, desk, browser });
  await until(() => second.room.length === 2);
  assert.deepEqual(second.room.slice(0, 2).map(({ text, mark }) => [text, mark]), [['three', 'fork'], ['four', null]]);
});

test('t23 an older page that is of elsewhere is refused, so that what comes next is judged', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  for (let number = 1; number <= 150; number += 1) anna(`old ${number}`, { quietly: true });
  let tampered = 0;
  answersOf(server, /^GET rooms\/.*before=51/, (page) => ({ ...page, entries: (tampered += 1) === 1 ? [{ id: uuid(9), seq: 10 ** 9, kind: 'unpin', sender: ANNA, sent_at: 1, body: null, target: uuid(8) }] : page.entries }));
  const { room, socket } = await opened(context, { server });
  await until(() => tampered === 1);
  await quiet();
  anna('left out', { quietly: true });
  kept(server).pop();
  server.rooms.get(ROOM).room.last_seq -= 1;
  anna('two');
  await until(() => room.at(room.length - 1).text === 'two');
  assert.equal(room.at(room.length - 1).mark, 'gap');
  socket.up();
  await until(() => tampered === 2);
  await room.loadBefore();
  assert.equal(room.at(0).text, 'old 1', 'the control');
});

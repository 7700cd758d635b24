import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { MAX_LATER } from '../state/chat/sealed-log.js';
import { FakeDesk, seen, unsealed } from './chat-keys.js';
import { kept, long, opened, ops, texts, writer } from './chat-sealed-world.js';
import { ANNA, BORIS, FakeBrowser, FakeServer, ME, ROOM, offline, online, quiet, textBody, until } from './chat-server.js';

test('each message is sealed, sent and settled before the next is sealed', async (context) => {
  const { server, room, desk } = await opened(context);
  server.hook = async (method, path, body) => void (method === 'POST' && desk.asked.push(`post ${body.id}`));
  const ids = [await room.send({ text: 'one' }), await room.send({ text: 'two' })];
  await until(() => room.length === 2 && room.at(1).state === 'sent');
  assert.deepEqual(ops(desk, 'seal_message', 'post', 'sent'), ids.flatMap((id) => [`seal_message ${id}`, `post ${id}`, `sent ${id}`]));
  assert.deepEqual(kept(server).map(({ body }) => unsealed(body).text), ['one', 'two']);
  assert.deepEqual(room.slice(0, 2).map(({ own, mark }) => [own, mark]), [[true, null], [true, null]]);
});

test('edits and reactions are sealed as messages are', async (context) => {
  const { server, room } = await opened(context);
  const id = await room.send({ text: 'one' });
  await until(() => room.find(id)?.state === 'sent');
  await room.edit(id, 'two');
  await room.react(id, '👍', true);
  await until(() => kept(server).length === 3 && room.find(id).reactions.length === 1 && room.find(id).editState === 'sent');
  assert.deepEqual(kept(server).map(({ body }) => unsealed(body).type), ['text', 'edit', 'reaction']);
  assert.equal(room.find(id).text, 'two');
});

test('what was sealed before a crash is sent as it was, never sealed anew', async (context) => {
  const first = await opened(context);
  const { server, desk, browser } = first;
  server.hook = async (method) => {
    if (method === 'POST') server.online = false;
  };
  const id = await first.room.send({ text: 'only once' });
  await until(() => kept(server).length === 1);
  first.close();
  server.hook = async () => {};
  server.online = true;
  const second = await opened(context, { server, desk, browser });
  const next = await second.room.send({ text: 'and on' });
  await until(() => second.room.find(next)?.state === 'sent');
  assert.deepEqual(ops(desk, 'seal_message'), [`seal_message ${id}`, `seal_message ${next}`]);
  assert.deepEqual(ops(desk, 'sent', 'unsent'), [`sent ${id}`, `sent ${next}`]);
  assert.deepEqual(kept(server).map(({ body }) => unsealed(body).text), ['only once', 'and on']);
  assert.deepEqual(second.room.slice(0, 2).map(({ mark }) => mark), [null, null], 'the chain goes on');
});

test('what the server refuses for good is given up, and sent again under another id', async (context) => {
  const { server, room, desk } = await opened(context);
  server.hook = async (method) => {
    if (method === 'POST') throw new ApiError('room_locked', 403);
  };
  const id = await room.send({ text: 'refused' });
  await until(() => room.find(id)?.state === 'failed');
  assert.deepEqual(ops(desk, 'sent', 'unsent'), [`unsent ${id}`]);
  server.hook = async () => {};
  await room.retry(id);
  await until(() => kept(server).length === 1 && room.length === 1 && room.at(0).state === 'sent');
  assert.notEqual(kept(server)[0].id, id, 'one id is sealed once in an epoch');
  assert.equal(room.at(0).text, 'refused');
});

test('what was given up while it waited is settled before the next is sealed', async (context) => {
  const window = await opened(context);
  const { server, room, desk } = window;
  server.hook = async (method) => {
    if (method === 'POST') throw new ApiError('busy', 503);
  };
  const id = await room.send({ text: 'never mind' });
  await until(() => ops(desk, 'seal_message').length === 1);
  await quiet();
  await room.discard(id);
  server.hook = async () => {};
  const next = await room.send({ text: 'this' });
  await until(() => room.find(next)?.state === 'sent');
  assert.deepEqual(ops(desk, 'seal_message', 'sent', 'unsent').slice(-3), [`unsent ${id}`, `seal_message ${next}`, `sent ${next}`]);
});

/** A message that the server refused, and a newer one that is sealed and waits because the server is busy. */
async function olderAndNewer(context) {
  const window = await opened(context);
  const { server, room, desk } = window;
  let refuse = new ApiError('room_locked', 403);
  server.hook = async (method) => {
    if (method === 'POST') throw refuse;
  };
  const older = await room.send({ text: 'older' });
  await until(() => room.find(older)?.state === 'failed');
  refuse = new ApiError('busy', 503);
  const newer = await room.send({ text: 'newer' });
  await until(() => ops(desk, 'seal_message').length === 2);
  await quiet();
  assert.deepEqual(ops(desk, 'unsent'), [`unsent ${older}`], 'the control: what failed was given up');
  return { ...window, older, newer };
}

test('an older message that is sent again comes after the one that is sealed and waits', async (context) => {
  const { server, room, socket, older } = await olderAndNewer(context);
  server.hook = async () => {};
  await room.retry(older);
  socket.up();
  await until(() => room.length === 2 && room.slice(0, 2).every(({ state }) => state === 'sent'));
  assert.deepEqual(room.slice(0, 2).map(({ text, mark }) => [text, mark]), [['newer', null], ['older', null]], 'each follows the one before');
});

test('an older message that is sent again after a reload does not give up one that is sealed and waits', async (context) => {
  const { server, desk, browser, older, newer, ...first } = await olderAndNewer(context);
  first.close();
  const { room, socket } = await opened(context, { server, desk, browser, connect: false });
  await until(() => room.find(older)?.state === 'failed');
  await room.retry(older);
  server.hook = async () => {};
  socket.up();
  await until(() => room.length === 2 && room.slice(0, 2).every(({ state }) => state === 'sent'));
  assert.equal(ops(desk, 'unsent').length, 1);
  assert.deepEqual(ops(desk, 'seal_message').filter((each) => each.includes(newer)).length, 1, 'the same bytes');
});

test('what is written before the keys are ready waits, and goes by itself', async (context) => {
  const { server, room, keys, desk } = await opened(context, { status: 'unvouched' });
  const id = await room.send({ text: 'patience' });
  await quiet();
  assert.deepEqual([room.find(id).state, kept(server).length, ops(desk, 'seal_message').length], ['waiting', 0, 0]);
  keys.become('ready');
  await until(() => room.find(id)?.state === 'sent');
  assert.equal(unsealed(kept(server)[0].body).text, 'patience');
});

test('entries are judged in the order of the log, whatever the order in which they are heard', async (context) => {
  const { server, room, desk } = await opened(context);
  const anna = writer(server, ANNA);
  const ids = [anna('one').id, anna('two', { quietly: true }).id, anna('three').id, anna('four').id];
  await until(() => room.length === 4);
  assert.deepEqual(texts(room), ['one', 'two', 'three', 'four']);
  assert.deepEqual(ops(desk, 'open_message'), ids.map((id) => `open_message ${id}`));
  assert.ok(room.slice(0, 4).every(({ mark }) => mark === null));
});

test('a reload and another window judge nothing twice', async (context) => {
  const first = await opened(context);
  const { server, browser, desk } = first;
  const anna = writer(server, ANNA);
  anna('one');
  await until(() => first.room.length === 1);
  const second = await opened(context, { server, browser, desk });
  anna('two');
  await until(() => first.room.length === 2 && second.room.length === 2);
  first.close();
  second.close();
  const third = await opened(context, { server, browser, desk });
  assert.deepEqual(texts(third.room), ['one', 'two']);
  assert.equal(ops(desk, 'open_message', 'read_message').length, 2);
});

test('a message that was judged in a crash and not kept is shown', async (context) => {
  const { server, browser, desk, ...first } = await opened(context);
  first.close();
  const entry = writer(server, ANNA)('here', { quietly: true });
  await desk.ask({ op: 'open_message', envelope: Buffer.from(entry.body, 'base64url').toString('base64') }, 'opened');
  const { room } = await opened(context, { server, browser, desk });
  await until(() => room.length === 1);
  assert.deepEqual([room.at(0).text, room.at(0).mark], ['here', null]);
});

test('t2 a message that the server gives another sender is nobody’s', async (context) => {
  const { server, room, chat } = await opened(context);
  const anna = writer(server, ANNA);
  anna('as Boris', { sender: BORIS });
  anna('as me', { sender: ME });
  anna('as herself');
  await until(() => room.length === 3);
  assert.deepEqual(room.slice(0, 3).map(({ text, sender, own, notice }) => [text, sender, own, notice]), [
    ['', '', false, 'refused'], ['', '', false, 'refused'], ['as herself', ANNA, false, null],
  ]);
  assert.deepEqual([...chat.refused], [['other_entry', 2]]);
});

test('t8 what is not sealed is not shown in an encrypted room, and a server cannot make the room another', async (context) => {
  const { server, room, socket, chat } = await opened(context);
  server.post(ANNA, textBody('plain'));
  writer(server, ANNA)('sealed');
  await until(() => room.length === 2);
  assert.deepEqual(texts(room), ['plain', 'sealed']);
  assert.deepEqual([room.at(0).text, room.at(0).sender], ['', '']);
  server.rooms.get(ROOM).room.encryption = 'open';
  socket.up();
  await quiet();
  server.post(ANNA, textBody('plain again'));
  await until(() => room.length === 3);
  assert.deepEqual([room.encrypted, room.at(2).notice], [true, 'plain']);
  const id = await room.send({ text: 'still sealed' });
  await until(() => room.find(id)?.state === 'sent');
  const there = server.rooms.get(ROOM);
  server.rooms.delete(ROOM);
  socket.up();
  await until(() => chat.conversation(ROOM) === null);
  server.rooms.set(ROOM, there);
  socket.up();
  await until(() => chat.conversation(ROOM)?.length === 4);
  assert.equal(chat.conversation(ROOM).encrypted, true, 'nor by taking it away for a while');
  assert.equal(unsealed(kept(server).at(-1).body).text, 'still sealed');
});

test('t8 a room that is encrypted by its id is so from the local copy, too, whatever the copy was told', async (context) => {
  const [server, browser] = [new FakeServer(), new FakeBrowser()];
  const [sealed, open] = [ROOM.replace('-4000-', '-8000-'), ROOM];
  for (const id of [sealed, open]) server.addRoom(id, { encryption: 'open' });
  const copy = await browser.device().open(ME);
  for (const id of [sealed, open]) await copy.put('rooms', server.rooms.get(id).room);
  const { chat } = await opened(context, { server, browser, connect: false });
  assert.deepEqual([chat.conversation(sealed).encrypted, chat.conversation(open).encrypted], [true, false]);
});

test('what cannot be opened yet has its place, and is opened there later, also after a reload', async (context) => {
  const first = await opened(context);
  const { server, browser, desk, keys } = first;
  const anna = writer(server, ANNA);
  for (const [text, epoch] of [['one', 1], ['two', 2], ['three', 3]]) anna(text, { epoch });
  await until(() => first.room.length === 3);
  assert.deepEqual(texts(first.room), ['one', 'later', 'later']);
  desk.epoch = 2;
  keys.moved(ROOM);
  await until(() => texts(first.room)[1] === 'two');
  assert.deepEqual(texts(first.room), ['one', 'two', 'later']);
  first.close();
  const second = await opened(context, { server, browser, desk });
  assert.deepEqual(texts(second.room), ['one', 'two', 'later']);
  desk.epoch = 3;
  second.keys.moved(ROOM);
  await until(() => texts(second.room)[2] === 'three');
  assert.deepEqual(second.room.slice(0, 3).map(({ mark }) => mark), [null, null, null]);
});

test('many messages of an epoch that never comes do not keep a later one from being opened', async (context) => {
  const { server, room, desk, keys } = await opened(context);
  const [anna, boris] = [writer(server, ANNA), writer(server, BORIS)];
  anna('one');
  await until(() => room.length === 1);
  for (let far = 0; far < MAX_LATER; far += 1) boris('never', { epoch: 1_000, quietly: true });
  anna('soon', { epoch: 2 });
  await until(() => room.length === MAX_LATER + 2);
  desk.epoch = 2;
  keys.moved(ROOM);
  await until(() => texts(room).at(-1) === 'soon');
  assert.ok(texts(room).slice(1, -1).every((each) => each === 'later'));
});

test('what was refused for want of the key of another of the room’s groups is tried again when more keys are told, and what is bad stays refused', async (context) => {
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  anna('first group', { epoch: 2, quietly: true });
  anna('as somebody else', { epoch: 5, quietly: true, sender: ME });
  anna('new', { epoch: 5, quietly: true });
  const desk = Object.assign(new FakeDesk(ME), { epoch: 5, otherGroup: new Set([2]) });
  const { keys, room } = await opened(context, { server, desk });
  await until(() => room.length === 3);
  assert.deepEqual(texts(room), ['refused', 'refused', 'new']);
  const asked = () => server.asked.filter((call) => call.includes('messages')).length;
  const before = asked();
  keys.remembered(ROOM);
  await quiet();
  assert.deepEqual([texts(room), asked() - before], [['refused', 'refused', 'new'], 1], 'once for each time that there are more keys');
  desk.otherGroup.clear();
  keys.remembered(ROOM);
  await until(() => texts(room).join() === 'first group,refused,new');
});

test('t16_what_came_under_a_key_that_was_over_or_was_said_before_stays_refused_whatever_keys_are_told_later', async (context) => {
  // As the worker: neither is asked of a message that is only read.
  class Desk extends FakeDesk {
    async ask(request, type) {
      const answer = await super.ask(request, type);
      if (request.op === 'open_message' && answer.epoch === 2) throw new KeysRefused('past_epoch');
      return request.op === 'open_message' && answer.epoch === 40 ? { ...answer, verdict: 'stale', content: null } : answer;
    }
  }
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const anna = writer(server, ANNA);
  anna('before', { epoch: 1, quietly: true });
  anna('now', { epoch: 50, quietly: true });
  const desk = Object.assign(new Desk(ME), { epoch: 50, firstEpoch: 2 });
  const { keys, room, browser } = await opened(context, { server, desk });
  await until(() => room.length === 2);
  anna('by who was put out', { epoch: 2 });
  anna('stale', { epoch: 40 });
  anna('another', { epoch: 50 });
  await until(() => texts(room).at(-1) === 'another');
  desk.firstEpoch = 1;
  keys.remembered(ROOM);
  await until(() => texts(room)[0] === 'before');
  await quiet();
  const { room: reloaded } = await opened(context, { server, browser, desk });
  await until(() => texts(reloaded).at(-1) === 'another');
  for (const shown of [room, reloaded]) assert.ok(!texts(shown).includes('by who was put out') && !texts(shown).includes('stale'), texts(shown).join());
});

test('what was written before this device was in the room says so', async (context) => {
  const desk = Object.assign(new FakeDesk(ME), { epoch: 5, firstEpoch: 5 });
  const { server, room } = await opened(context, { desk });
  const anna = writer(server, ANNA);
  anna('before', { epoch: 4 });
  anna('after', { epoch: 5 });
  await until(() => room.length === 2);
  assert.deepEqual(texts(room), ['before', 'after']);
  assert.equal(room.at(0).text, '');
});

test('what was deleted while it could not be opened does not come back', async (context) => {
  const { server, room, desk, keys } = await opened(context);
  const entry = writer(server, ANNA)('gone', { epoch: 2 });
  await until(() => room.length === 1);
  server.delete(ANNA, entry.id);
  await quiet();
  desk.epoch = 2;
  keys.moved(ROOM);
  await quiet();
  assert.ok(!texts(room).includes('gone'), texts(room).join());
});

test('in an encrypted room a text is as long as a seal takes, and files are refused', async (context) => {
  const { room, server } = await opened(context);
  await assert.rejects(room.send({ text: 'x'.repeat(16_000) }), { code: 'invalid_body' });
  await assert.rejects(room.send({ text: 'see', uploads: [{ blob: new Blob(['x']), remote: null, info: { name: 'x', type: 'text/plain', size: 1 } }] }), { code: 'files_not_encrypted' });
  const id = await room.send({ text: 'x'.repeat(15_900) });
  await until(() => room.find(id)?.state === 'sent');
  assert.equal(server.files.size, 0);
});

test('a group that cannot be brought up to date keeps a message waiting, and fails none', async (context) => {
  const { room, desk, keys } = await opened(context);
  desk.hook = async ({ op }) => {
    if (op === 'seal_message') throw new ApiError('still_member', 409);
  };
  const id = await room.send({ text: 'patience' });
  await until(() => ops(desk, 'seal_message').length > 0);
  await quiet();
  assert.equal(room.find(id).state, 'waiting');
  desk.hook = async () => {};
  keys.moved(ROOM);
  await until(() => room.find(id)?.state === 'sent');
});

test('what waited for too many epochs is sealed anew under its id, and for a few is not', async (context) => {
  for (const [epoch, seals] of [[17, 1], [18, 2]]) {
    const { server, room, desk, keys } = await opened(context);
    server.hook = async (method) => {
      if (method === 'POST') throw new ApiError('busy', 503);
    };
    const id = await room.send({ text: 'patience' });
    await until(() => ops(desk, 'seal_message').length === 1);
    await quiet();
    server.hook = async () => {};
    desk.epoch = epoch;
    keys.moved(ROOM);
    await until(() => room.find(id)?.state === 'sent');
    assert.deepEqual(ops(desk, 'seal_message'), Array(seals).fill(`seal_message ${id}`));
  }
});

test('t16 what is of an epoch long past is refused, but in a new local copy it is history', async (context) => {
  const { server, room, desk, browser } = await opened(context);
  const anna = writer(server, ANNA);
  anna('one');
  await until(() => room.length === 1);
  desk.hook = async ({ op }) => {
    if (op === 'open_message') throw new KeysRefused('past_epoch');
  };
  anna('two');
  await until(() => room.length === 2);
  assert.deepEqual(texts(room), ['one', 'refused']);
  const anew = await opened(context, { server, desk });
  assert.notEqual(anew.browser, browser);
  await until(() => anew.room.length === 2);
  assert.deepEqual(texts(anew.room), ['one', 'two']);
});

test('what could not be opened when it came, for its sender was not known or nobody had vouched for this device yet, opens later though its epoch is long over by then', async (context) => {
  // As the worker: by the newest epoch of what it opened, and of whom it knows.
  class Desk extends FakeDesk {
    known = new Set([ANNA]);
    newest = 0;
    async ask(request, type) {
      const { op, envelope } = request;
      if (!op.startsWith('open_')) return super.ask(request, type);
      const { epoch, user } = seen(envelope);
      if (op === 'open_message' && this.newest - epoch > 32) throw new KeysRefused('past_epoch');
      if (!this.known.has(user)) throw new KeysRefused('unknown_sender');
      this.newest = Math.max(this.newest, epoch);
      return super.ask(request, type);
    }
  }
  const server = new FakeServer();
  server.addRoom(ROOM, { encryption: 'mls' });
  const desk = Object.assign(new Desk(ME), { epoch: 90 });
  const { room, browser, close } = await opened(context, { server, desk });
  const [anna, boris] = [writer(server, ANNA), writer(server, BORIS)];
  anna('one', { epoch: 1 });
  await until(() => room.length === 1);
  boris('two', { epoch: 1 });
  anna('three', { epoch: 90 });
  boris('four', { epoch: 1 });
  await until(() => room.length === 4);
  assert.deepEqual(texts(room), ['one', 'later', 'three', 'refused']);
  close();
  desk.known.add(BORIS);
  const { room: again, keys } = await opened(context, { server, desk, browser });
  keys.moved(ROOM);
  await until(() => texts(again).join() === 'one,two,three,refused');

  const other = Object.assign(new Desk(ME), { epoch: 90, known: new Set([ANNA, BORIS]) });
  const fresh = await opened(context, { server, desk: other, status: 'unvouched' });
  await until(() => fresh.room.length === 4);
  anna('five', { epoch: 90 });
  await until(() => fresh.room.length === 5);
  assert.deepEqual(texts(fresh.room), Array(5).fill('later'));
  fresh.close();
  // Of more than a page the newest are opened before the others.
  other.newest = 90;
  const { room: vouched, keys: ready } = await opened(context, { server, desk: other, browser: fresh.browser });
  ready.moved(ROOM);
  await until(() => texts(vouched).join() === 'one,two,three,four,five');
});

test('what was written offline is sealed when the connection is back', async (context) => {
  const window = await opened(context);
  offline(window);
  const id = await window.room.send({ text: 'later' });
  await quiet();
  assert.equal(kept(window.server).length, 0);
  online(window);
  await until(() => window.room.find(id)?.state === 'sent');
  assert.equal(unsealed(kept(window.server)[0].body).text, 'later');
});

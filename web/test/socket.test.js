import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { SignalSocket } from '../net/socket.js';

/** A WebSocket whose other end is the test. */
class FakeWebSocket {
  sent = [];
  closed = false;
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.closed = true;
  }
  say(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
  get last() {
    return this.sent.at(-1);
  }
}

const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
};

/** @param {{ ticket?: () => Promise<string> }} [options] */
function setUp({ ticket = async () => 'once' } = {}) {
  const sockets = [];
  const heard = [];
  const socket = new SignalSocket({
    ticket,
    random: () => 1,
    open: (protocols) => {
      const fake = new FakeWebSocket();
      fake.protocols = protocols;
      sockets.push(fake);
      return fake;
    },
  });
  for (const type of ['up', 'down', 'message', 'ended']) socket.addEventListener(type, (event) => heard.push([type, event.detail]));
  return { socket, sockets, heard };
}

/** Connect and be welcomed. */
async function greeted(options) {
  const all = setUp(options);
  all.socket.connect();
  await settle();
  welcome(all.sockets[0], { seq: 1 });
  await settle();
  return all;
}

function welcome(fake, fields) {
  fake.onopen();
  fake.say({ type: 'welcome', seq: 1, id: fake.last.id, connection: 'secret', resumed: false, resume_window_s: 60, ping_interval_s: 15, ice_servers: [{ urls: ['stun:s'] }], ...fields });
}

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

test('the ticket travels as a subprotocol and hello comes first', async () => {
  const { sockets, heard } = await greeted();
  assert.deepEqual(sockets[0].protocols, ['webcall.v1', 'ticket.once']);
  assert.deepEqual(sockets[0].sent, [{ id: 1, type: 'hello', version: 1 }]);
  assert.deepEqual(heard, [['up', { resumed: false, iceServers: [{ urls: ['stun:s'] }] }]]);
});

test('whoever disconnects and connects again while a ticket is asked for has one connection, and what is said of the first ticket ends no other', async () => {
  const asked = [];
  const { socket, sockets, heard } = setUp({ ticket: () => new Promise((resolve, reject) => asked.push({ resolve, reject })) });
  for (let time = 0; time < 3; time += 1) {
    socket.connect();
    if (time < 2) socket.close();
  }
  asked[0].resolve('first');
  asked[1].reject(Object.assign(new Error('session_ended'), { status: 401, code: 'session_ended' }));
  await settle();
  assert.deepEqual([sockets.length, heard], [0, []]);
  asked[2].resolve('third');
  await settle();
  assert.deepEqual(sockets.map(({ protocols }) => protocols[1]), ['ticket.third']);
});

test('an answer finds the request that it belongs to', async () => {
  const { socket, sockets } = await greeted();
  const first = socket.request({ type: 'ping' });
  const second = socket.request({ type: 'leave' });
  sockets[0].say({ seq: 2, type: 'error', id: sockets[0].last.id, code: 'not_in_call', message: '' });
  sockets[0].say({ seq: 3, type: 'ok', id: sockets[0].last.id - 1 });
  assert.equal((await first).type, 'ok');
  await assert.rejects(second, { code: 'not_in_call' });
});

test('a broken socket is resumed with the last number seen', async () => {
  const { sockets, heard } = await greeted();
  sockets[0].say({ seq: 2, type: 'renegotiate' });
  sockets[0].onclose({ code: 1006 });
  mock.timers.tick(250);
  await settle();
  sockets[1].onopen();
  assert.deepEqual(sockets[1].last.resume, { connection: 'secret', last_seq: 2 });
  sockets[1].say({ type: 'welcome', seq: 4, id: sockets[1].last.id, connection: 'secret', resumed: true, resume_window_s: 60, ping_interval_s: 15, ice_servers: [] });
  sockets[1].say({ seq: 3, type: 'speakers', participants: [] });
  assert.deepEqual(heard.map(([type]) => type), ['up', 'message', 'down', 'up', 'message']);
});

test('what was asked when the socket broke is refused, not forgotten', async () => {
  const { socket, sockets } = await greeted();
  const asked = socket.request({ type: 'ping' });
  sockets[0].onclose({ code: 1006 });
  await assert.rejects(asked, { code: 'connection_lost' });
  await assert.rejects(socket.request({ type: 'ping' }), { code: 'connection_lost' });
});

test('two quiet intervals mean that the connection is broken', async () => {
  const { sockets, heard } = await greeted();
  mock.timers.tick(15_000);
  assert.equal(sockets[0].last.type, 'ping');
  mock.timers.tick(15_000);
  await settle();
  assert.ok(sockets[0].closed);
  assert.equal(heard.at(-1)[0], 'down');
});

test('an answered ping keeps the connection', async () => {
  const { sockets, heard } = await greeted();
  for (let seq = 2; seq < 6; seq += 1) {
    mock.timers.tick(15_000);
    sockets[0].say({ seq, type: 'ok', id: sockets[0].last.id });
    await settle();
  }
  assert.equal(heard.length, 1);
});

test('an ended session ends the connection for good', async () => {
  const { socket, sockets, heard } = await greeted();
  sockets[0].onclose({ code: 4401 });
  mock.timers.tick(60_000);
  await settle();
  assert.deepEqual(heard.at(-1), ['ended', { code: 'session_ended' }]);
  assert.equal(sockets.length, 1);
  assert.equal(socket.isUp, false);
});

test('a refused ticket ends the connection, a missing server does not', async () => {
  let error = Object.assign(new Error(), { status: 0 });
  const { heard, socket } = setUp({ ticket: () => Promise.reject(error) });
  socket.connect();
  await settle();
  assert.deepEqual(heard, []);
  error = Object.assign(new Error(), { status: 401 });
  mock.timers.tick(5_000);
  await settle();
  assert.deepEqual(heard, [['ended', { code: 'session_ended' }]]);
});

test('a server that restarts is left alone for as long as it says', async () => {
  const { socket, sockets } = await greeted();
  socket.drain(1_000);
  mock.timers.tick(1_200);
  await settle();
  assert.equal(sockets.length, 1);
  mock.timers.tick(100);
  await settle();
  assert.equal(sockets.length, 2);
});

test('a connection that was closed by this page begins afresh', async () => {
  const { socket, sockets } = await greeted();
  socket.close();
  socket.connect();
  await settle();
  sockets[1].onopen();
  assert.equal(sockets[1].last.resume, undefined);
});

test('what the server says in another form than its own is dropped, an answer refused, and what comes after it heard', async () => {
  const { socket, sockets: [fake], heard } = await greeted();
  heard.length = 0;
  for (const text of ['null', '7', '[]', '{"seq":2}', 'nonsense']) fake.onmessage({ data: text });
  fake.say({ type: 'participant_joined', seq: 2, participant: null });
  fake.say({ type: 'e2ee_commit', seq: 3, group: null, epoch: 4 });
  assert.deepEqual(heard, []);
  const asked = socket.request({ type: 'join', room: 'r', muted: [] });
  fake.say({ type: 'joined', seq: 4, id: fake.last.id, participants: 'nobody' });
  await assert.rejects(asked, { code: 'bad_answer' });
  fake.say({ type: 'room_changed', seq: 5, room: 'r' });
  assert.deepEqual(heard.map(([, detail]) => detail.type), ['room_changed']);
});

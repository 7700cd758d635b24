import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

import { ApiError } from '../net/api.js';
import { MAX_KEPT_BYTES } from '../state/chat/uploads.js';
import { ME, ROOM, offline, online, opened, quiet, until } from './chat-server.js';

const MIB = 1 << 20;
const bytesOf = (length) => Uint8Array.from({ length }, (_, at) => (at * 31) & 0xff);
const pending = (name, length, remote = null) => ({ blob: new Blob([bytesOf(length)]), remote, info: { name, type: 'text/plain', size: length } });
const sent = (server, room = ROOM) => server.rooms.get(room).entries.filter(({ sender }) => sender === ME).map(({ body }) => JSON.parse(Buffer.from(body, 'base64url')));

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout'] });
});

async function blobsIn(browser) {
  const storage = await browser.device().open(ME);
  const items = await storage.outbox();
  const blobs = await Promise.all(items.flatMap(({ uploads }) => uploads).map(({ local }) => storage.blob(local)));
  storage.close();
  return blobs;
}

test('files that were chosen offline are sent with their message on return, once and in order, after a reload too', async (context) => {
  const window = await opened(context);
  offline(window);
  await window.room.send({ text: 'before' });
  await window.room.send({ text: 'two files', uploads: [pending('a.txt', 2.5 * MIB), pending('b.txt', 10)] });
  await window.room.send({ text: 'after' });
  const waiting = window.room.at(2);
  assert.deepEqual([waiting.state, waiting.progress, waiting.files.map(({ name }) => name)], ['waiting', 0, ['a.txt', 'b.txt']]);
  window.close();
  const again = await opened(context, { browser: window.browser, server: window.server, connect: false });
  assert.equal(again.room.at(2).files.length, 2);
  online(again);
  await until(() => again.room.length === 4 && again.room.at(3).state === 'sent');
  const bodies = sent(again.server);
  assert.deepEqual(bodies.map(({ text }) => text), ['before', 'two files', 'after']);
  const files = bodies[1].files.map(({ id }) => again.server.files.get(id).bytes);
  assert.deepEqual([files[0], files[1]].map((bytes) => bytes.equals(Buffer.from(bytesOf(bytes.length)))), [true, true]);
  assert.deepEqual(files.map(({ length }) => length), [2.5 * MIB, 10]);
  assert.equal(again.server.files.size, 2);
  await quiet();
  assert.deepEqual(await blobsIn(window.browser), []);
});

test('an upload that broke goes on from where it was, in another page', async (context) => {
  const window = await opened(context);
  const { server } = window;
  let pieces = 0;
  server.hook = async (method) => {
    if (method === 'PATCH' && (pieces += 1) === 3) server.online = false;
  };
  await window.room.send({ text: 'large', uploads: [pending('a.bin', 4 * MIB)] });
  await until(() => pieces === 3);
  await quiet();
  assert.deepEqual([window.room.at(1).state, window.room.at(1).progress], ['waiting', 0.5]);
  window.close();
  server.hook = async () => {};
  server.online = true;
  const before = server.asked.length;
  const again = await opened(context, { browser: window.browser, server });
  await until(() => again.room.at(1)?.state === 'sent');
  assert.deepEqual(server.asked.slice(before).filter((each) => each.startsWith('PATCH')).map((each) => Number(each.split('=')[1])), [2 * MIB, 3 * MIB]);
  assert.equal(server.files.size, 1);
});

test('a file that takes long holds up its own room only', async (context) => {
  const { server, room, other } = await opened(context);
  let free = () => {};
  const held = new Promise((resolve) => (free = resolve));
  server.hook = async (method) => {
    if (method === 'PATCH') await held;
  };
  await room.send({ text: 'with a file', uploads: [pending('a.bin', 10)] });
  const behind = await room.send({ text: 'behind it' });
  await until(() => server.asked.some((each) => each.startsWith('PATCH')));
  const elsewhere = await other.send({ text: 'elsewhere' });
  await until(() => other.find(elsewhere)?.state === 'sent');
  assert.equal(room.find(behind).state, 'waiting');
  free();
  await until(() => room.find(behind)?.state === 'sent');
  assert.deepEqual(sent(server).map(({ text }) => text), ['with a file', 'behind it']);
});

test('a waiting message with its files can be cancelled before and during the upload, and nothing of it stays', async (context) => {
  const window = await opened(context);
  const { server, room, browser } = window;
  offline(window);
  const first = await room.send({ text: 'changed my mind', uploads: [pending('a.bin', 10)] });
  await room.discard(first);
  assert.equal(room.find(first), undefined);
  online(window);
  server.hook = async (method) => {
    if (method === 'PATCH') await quiet(20);
  };
  const second = await room.send({ text: 'this one too', uploads: [pending('b.bin', 5 * MIB)] });
  await until(() => server.asked.some((each) => each.startsWith('PATCH')));
  await room.discard(second);
  const third = await room.send({ text: 'this goes' });
  await until(() => room.find(third)?.state === 'sent' && server.files.size === 0);
  assert.deepEqual(sent(server).map(({ text }) => text), ['this goes']);
  assert.deepEqual(await blobsIn(browser), []);
});

test('a file that the server refuses fails its message, by name, and the later ones go on', async (context) => {
  const { server, room } = await opened(context);
  server.hook = async (method, path, body) => {
    if (method === 'POST' && path.endsWith('/files') && body.size === 20) throw new ApiError('file_too_large', 413);
  };
  const refused = await room.send({ text: 'two', uploads: [pending('fits.txt', 10), pending('too-large.bin', 20)] });
  const later = await room.send({ text: 'later' });
  await until(() => room.find(later)?.state === 'sent');
  const { state, code, failedFile } = room.find(refused);
  assert.deepEqual([state, code, failedFile], ['failed', 'file_too_large', 'too-large.bin']);
  server.hook = async () => {};
  await room.retry(refused);
  await until(() => room.find(refused)?.state === 'sent');
  assert.equal(server.asked.filter((each) => each.startsWith('POST') && each.endsWith('/files')).length, 3);
});

test('a message whose file finds no space waits with it, and goes on where it was when there is space', async (context) => {
  const { server, room } = await opened(context);
  let full = true;
  server.hook = async (method, path) => {
    if (full && method === 'PATCH' && !path.endsWith('=0')) throw new ApiError('disk_full', 503);
  };
  const id = await room.send({ text: 'large', uploads: [pending('a.bin', 2 * MIB)] });
  await until(() => server.asked.filter((each) => each.startsWith('PATCH')).length === 2);
  await quiet();
  assert.deepEqual([room.find(id).state, [...server.files.values()].map(({ received }) => received)], ['waiting', [MIB]]);
  full = false;
  const before = server.asked.length;
  mock.timers.tick(60_000);
  await until(() => room.find(id)?.state === 'sent');
  assert.deepEqual(server.asked.slice(before).filter((each) => each.startsWith('PATCH')).map((each) => Number(each.split('=')[1])), [MIB]);
  assert.equal(server.files.size, 1);
});

test('a file that the server forgot while the message waited is sent again', async (context) => {
  const { server, room } = await opened(context);
  let forgot = false;
  server.hook = async (method, path) => {
    if (method !== 'POST' || !path.endsWith('/messages') || forgot) return;
    forgot = true;
    server.files.clear();
  };
  const id = await room.send({ text: 'late', uploads: [pending('a.bin', 10)] });
  await until(() => room.find(id)?.state === 'sent');
  assert.equal(server.files.get(sent(server)[0].files[0].id).received, 10);
});

test('more than can be kept is refused at once', async (context) => {
  const window = await opened(context);
  offline(window);
  const large = { blob: { size: MAX_KEPT_BYTES + 1 }, remote: null, info: { name: 'a', type: '', size: 1 } };
  await assert.rejects(window.room.send({ text: 'x', uploads: [large] }), { code: 'files_not_kept' });
  assert.equal(window.room.length, 1);
});

// What people write in encrypted rooms, with the page's own chat and the client's own cryptography against a real server: it arrives, nobody else
// reads it, and what the server changes about it is noticed. Only pages and browsers are left out.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MemoryStorage } from '../../web/state/chat/storage-memory.js';
import { blobSource, upload } from '../../web/net/upload.js';
import { canary, filesIn, placesOf } from '../lib/canaries.mjs';
import { Chatter } from './lib/chatter.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage(Chatter);

const person = async () => (await on.people.stranger()).start();

/** So many new people in a new room; the first owns it. */
async function people(count, encryption = 'mls') {
  const owner = await person();
  const room = await owner.api.call('POST', 'rooms', { name: 'Stammtisch', encryption });
  await owner.rooms.load();
  const clients = [owner];
  while (clients.length < count) clients.push(await joined(room));
  if (encryption === 'mls') await agree(clients, room);
  return { clients, room };
}

async function joined(room) {
  const client = await person();
  await client.rooms.join(room.link_code);
  return client;
}

const reloaded = (client) => on.people.reloaded(client);

/** The bodies of a room as the server gives them. */
async function entries(client, room) {
  return (await client.api.call('GET', `rooms/${room.id}/messages?limit=200`)).entries;
}

/** As base64 of the keys' worker. */
const envelope = ({ body }) => Buffer.from(body, 'base64url').toString('base64');

test('what is written, edited, answered and reacted to is seen by all, and marks nothing', async () => {
  const { clients: [ann, ben, cleo], room } = await people(3);
  const first = await ann.says(room, 'who is there');
  const message = await ben.sees(room, 'who is there');
  assert.deepEqual([message.sender, message.own, message.mark, message.notice], [ann.user, false, null, null]);
  await ben.says(room, 'me', { replyTo: first });
  assert.equal((await cleo.sees(room, 'me')).replyTo, first);
  await (await ann.in(room)).edit(first, 'who is here');
  await (await cleo.in(room)).react(first, '👍', true);
  for (const client of [ann, ben, cleo]) {
    const shown = await client.until('edit and reaction', () => client.seen(room).find(({ text, reactions }) => text === 'who is here' && reactions.length === 1));
    assert.deepEqual(shown.edited.map(({ text }) => text), ['who is there']);
    assert.deepEqual(shown.reactions[0].users, [cleo.user]);
    assert.ok(client.seen(room).every(({ mark, notice }) => mark === null && notice === null));
  }
});

test('who was away catches up, and a reload judges nothing twice', async () => {
  const { clients: [ann, ben], room } = await people(2);
  await ann.says(room, 'before');
  await ben.sees(room, 'before');
  ben.stop();
  for (let number = 1; number <= 12; number += 1) await ann.says(room, `while away ${number}`);
  let back = await reloaded(ben);
  await back.sees(room, 'while away 12');
  const texts = (client) => client.seen(room).map(({ text, mark }) => [text, mark]);
  const expected = [['before', null], ...Array.from({ length: 12 }, (_, at) => [`while away ${at + 1}`, null])];
  assert.deepEqual(texts(back), expected);
  back = await reloaded(back);
  await back.says(room, 'I am back');
  assert.deepEqual(texts(back), [...expected, ['I am back', null]]);
  assert.equal((await ann.sees(room, 'I am back')).mark, null);
  back.stop();
  back.browser.copy = new MemoryStorage();
  const anew = await reloaded(back);
  await anew.sees(room, 'I am back');
  assert.deepEqual(texts(anew), [...expected, ['I am back', null]], 'a new local copy has it all');
});

test('t16 who was removed reads nothing that follows, and who stays does', async () => {
  const { clients: [ann, ben, cleo], room } = await people(3);
  await ann.says(room, 'among three');
  await cleo.sees(room, 'among three');
  const known = envelope((await entries(ann, room)).at(-1));
  await ann.api.call('DELETE', `rooms/${room.id}/members/${cleo.user}`);
  await agree([ann, ben], room);
  await ann.says(room, 'among two');
  await ben.sees(room, 'among two');
  const later = envelope((await entries(ann, room)).findLast(({ kind }) => kind === 'message'));
  assert.equal(await cleo.opens(room, known), 'among three', 'what was hers before');
  assert.equal(await cleo.opens(room, later), 'unknown_epoch');
  assert.equal(await ben.opens(room, later), 'among two');
});

test('t17 who comes later reads nothing that was before, and all that follows', async () => {
  const { clients: [ann, ben], room } = await people(2);
  await ann.says(room, 'among ourselves');
  await ben.sees(room, 'among ourselves');
  const dora = await joined(room);
  await agree([ann, ben, dora], room);
  await ann.says(room, 'welcome');
  await dora.sees(room, 'welcome');
  const before = () => dora.seen(room).filter(({ notice }) => notice === 'before');
  const notices = await dora.until('the row of what was before', () => before().length > 0 && before());
  assert.deepEqual(notices.map(({ text, sender }) => [text, sender]), [['', '']]);
  assert.ok(!JSON.stringify(await dora.browser.copy.entries(room.id, 1, 1_000)).includes('among ourselves'));
  assert.ok(JSON.stringify(await ben.browser.copy.entries(room.id, 1, 1_000)).includes('among ourselves'), 'who was there has it');
});

test('t8 what is not sealed is not shown as a message in an encrypted room, and is in an open one', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const open = await ann.api.call('POST', 'rooms', { name: 'Markt', encryption: 'open' });
  await ann.rooms.load();
  await ben.rooms.join(open.link_code);
  const body = Buffer.from(JSON.stringify({ v: 1, type: 'text', text: 'send money' })).toString('base64url');
  for (const to of [room, open]) await ann.api.call('POST', `rooms/${to.id}/messages`, { id: crypto.randomUUID(), body });
  await ben.sees(open, 'send money');
  const row = await ben.until('the notice', () => ben.seen(room).find(({ notice }) => notice === 'plain'));
  assert.deepEqual([row.text, row.sender, row.own], ['', '', false]);
  await ann.says(room, 'but this is');
  assert.equal((await ben.sees(room, 'but this is')).sender, ann.user);
});

/** The server's answers as the test wants them: entries of a room are changed on their way to one client. */
function meddle(client, room, change) {
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    const response = await whole(url, init);
    if (init.method !== 'GET' || !url.pathname.endsWith(`/rooms/${room.id}/messages`)) return response;
    const page = await response.json();
    return new Response(JSON.stringify({ ...page, entries: change(page.entries) }), { status: response.status, headers: response.headers });
  };
}

test('t23 what the server leaves out, repeats or gives another sender is noticed, and the rest is shown', async () => {
  const { clients: [ann, ben], room } = await people(2);
  await ann.says(room, 'one');
  await ben.sees(room, 'one');
  ben.stop();
  const [two, three, four, five] = [await ann.says(room, 'two'), await ann.says(room, 'three'), await ann.says(room, 'four'), await ann.says(room, 'five')];
  const [one] = (await entries(ann, room)).filter(({ kind }) => kind === 'message');
  const back = on.people.kept(ben.anew());
  meddle(back, room, (list) =>
    list.map((entry) => {
      if (entry.id === two) return { ...one, seq: entry.seq };
      return entry.id === four ? { ...entry, sender: ben.user } : entry;
    }),
  );
  await back.start();
  await back.sees(room, 'five');
  const shown = back.seen(room);
  assert.equal(shown.filter(({ text }) => text === 'one').length, 1, 'what is repeated stands where it was');
  assert.equal(shown.find(({ id }) => id === two), undefined);
  assert.equal(shown.find(({ id }) => id === three).mark, 'gap', 'two was left out');
  assert.equal(shown.find(({ id }) => id === four), undefined, 'four is nobody else’s');
  assert.equal(shown.filter(({ notice }) => notice === 'refused').length, 1);
  assert.deepEqual([shown.find(({ id }) => id === five).mark, shown.find(({ id }) => id === five).sender], [null, ann.user]);
});

test('what is written before the device is in the group waits, and goes by itself', async () => {
  const { clients: [ann], room } = await people(1);
  ann.stop();
  const late = await joined(room);
  const conversation = await late.in(room);
  const id = await conversation.send({ text: 'is anybody there' });
  await late.ready();
  await (await late.ready()).sync(room.id);
  assert.equal(conversation.find(id).state, 'waiting');
  const back = await reloaded(ann);
  await back.sees(room, 'is anybody there');
  await late.until('it to be sent', () => conversation.find(id)?.state === 'sent');
});

test('a message whose answer never came is sent again as it was sealed, also after a reload, and is there once', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const whole = ann.fetch;
  ann.fetch = async (url, init) => {
    if (init.method !== 'POST' || !url.pathname.endsWith('/messages')) return whole(url, init);
    await whole(url, init);
    throw new TypeError('gone');
  };
  await (await ann.in(room)).send({ text: 'only once' });
  await ben.sees(room, 'only once');
  const back = await reloaded(ann);
  await back.sees(room, 'only once');
  await back.says(room, 'and on');
  assert.equal((await ben.sees(room, 'and on')).mark, null, 'it follows the one before');
  assert.deepEqual(ben.seen(room).map(({ text }) => text), ['only once', 'and on']);
});

test('t25 nothing that was written in an encrypted room is in what the server keeps, and all that was in an open one is', async () => {
  for (const encryption of ['mls', 'open']) {
    const { clients: [ann, ben], room } = await people(2, encryption);
    const words = { message: canary('message'), answer: canary('answer'), edit: canary('edit') };
    const id = await ann.says(room, words.message);
    await ben.sees(room, words.message);
    await ben.says(room, words.answer, { replyTo: id });
    await (await ann.in(room)).edit(id, words.edit);
    await ben.sees(room, words.edit);
    words.file = canary('file');
    words.name = canary('name');
    await ann.says(room, 'a file', { files: [await attached(ann, room, new Blob([words.file]), words.name)] });
    await ben.sees(room, 'a file');
    const places = placesOf(filesIn(on.server.data), words);
    for (const [what, files] of Object.entries(places)) assert.equal(files.length > 0, encryption === 'open', `the ${what} of a room that is ${encryption}: ${files}`);
  }
});

/** A file at the server, as a message names it: sealed where the room is. */
async function attached(client, room, blob, name = 'photo.bin') {
  const info = { name, type: 'application/octet-stream', size: blob.size };
  const { file, sealed } = room.encryption === 'mls' ? await (await client.ready()).sealFile(blob, { name: '', type: '' }) : { file: blob };
  const id = await upload(client.api, room.id, blobSource(file), { signal: new AbortController().signal });
  return { id, ...info, ...(sealed === undefined ? {} : { sealed }) };
}

test('t24 a file of an encrypted room is opened by its members as it was sent, and one that a server changed is not', async () => {
  const { clients: [ann, ben], room } = await people(2);
  // More than a chunk, and not a whole number of them.
  const content = Buffer.concat(Array.from({ length: 12 }, () => Buffer.from(crypto.getRandomValues(new Uint8Array(65_000)))));
  await ann.says(room, 'two files', { files: [await attached(ann, room, new Blob([content])), await attached(ann, room, new Blob(['another']))] });
  const { files: [file, other] } = await ben.sees(room, 'two files');
  const account = await ben.ready();
  const [kept, others] = await Promise.all([file, other].map(({ id }) => ben.api.blob(`files/${id}`)));
  assert.ok(kept.size > content.length);
  assert.deepEqual(Buffer.from(await (await account.openFile(kept, file.sealed)).arrayBuffer()), content);
  const changed = new Uint8Array(await kept.arrayBuffer());
  changed[300_000] ^= 1;
  await assert.rejects(account.openFile(new Blob([changed]), file.sealed), { code: 'tampered' });
  await assert.rejects(account.openFile(kept.slice(0, -1), file.sealed), { code: 'wrong_length' });
  await assert.rejects(account.openFile(others, file.sealed), ({ code }) => ['tampered', 'wrong_length'].includes(code));
  await assert.rejects(account.openFile(kept, 'AAAA'), { code: 'malformed' });
  // What is not sealed is not sent, whatever the page says.
  const { sealed: _sealed, ...bare } = file;
  await assert.rejects((await ann.in(room)).send({ text: 'bare', files: [bare] }), { code: 'files_not_encrypted' });
});

// What a server learns of an encrypted room: the same acts in an encrypted room and in an open one of the same server, whose log says all that
// an operator can have it say. Whatever the server keeps, says, is sent, forwards and has in its memory is collected. Of the encrypted room nothing is found in
// it; of the open one all is, by the same search, so that the search means something.
//
// Not hidden, by design: who is in which room, its name and address, who writes, calls and sends files when, and how much (to a power of two).

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { canary, placesOf } from '../lib/canaries.mjs';
import { choose, openChat, reads, row, write } from './lib/chat.mjs';
import { removeFolder, temporaryFolder } from './lib/children.mjs';
import { collected, TALKATIVE } from './lib/collected.mjs';
import { allSeeAndHearAll } from './lib/eyes.mjs';
import { during, party, PASSWORD } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';
import { words } from './lib/words.mjs';

const folder = temporaryFolder('canaries');
after(() => removeFolder(folder));
/** Signs that no picker has and that no other bytes are by chance. */
const SIGNS = { mls: '👩🏽‍🚀', open: '👨🏿‍🌾' };

/** Answers with a sign, as the picker does. */
async function answersWith(page, message, sign) {
  await choose(page, message, 'chat.react');
  await page.see('.emoji-grid .emoji');
  await page.evaluate((wanted) => (document.querySelector('.emoji-grid .emoji').dataset.emoji = wanted), sign);
  await page.press('.emoji-grid .emoji');
  await page.see(`${row(message)} .reaction[data-emoji="${sign}"]`);
}

/** All that two people do in a room: chat, files, a call. @returns the words that they used, by what each was */
async function talk(table, [anna, boris], room) {
  const said = { message: canary('message'), edit: canary('edit'), answer: canary('answer'), mention: canary('mention'), file: canary('file'), name: canary('name'), call: canary('call'), reaction: SIGNS[room.encryption] };
  await openChat(table, anna, room);
  await openChat(table, boris, room);
  // Whoever writes has the keys: what was written before they had, they could not read.
  await write(boris, 'I am here');
  await reads(anna, 'I am here');
  await write(anna, said.message);
  const first = await reads(boris, said.message);
  await reads(anna, said.message);
  await choose(boris, first, 'chat.reply');
  await write(boris, said.answer);
  await reads(anna, said.answer);
  await write(anna, `@${boris.username} ${said.mention}`);
  await boris.see(`${row(await reads(boris, said.mention))}.mentions-me .mention`);
  await answersWith(boris, first, said.reaction);
  await anna.see(`${row(first)} .reaction[data-emoji="${said.reaction}"]`);
  await choose(anna, first, 'chat.edit');
  await anna.key('Control+a');
  await anna.type(said.edit);
  await anna.pressNamed('button', words(anna, 'chat.send'));
  await reads(boris, said.edit);
  const path = join(folder, `${said.name}.txt`);
  writeFileSync(path, `${said.file}\n`);
  await anna.chooseFiles(() => anna.pressNamed('button', words(anna, 'chat.attach')), [path]);
  await anna.seeNamed('button', `${words(anna, 'chat.remove_file')}: ${said.name}.txt`);
  await write(anna, 'here it is');
  const message = await reads(boris, 'here it is');
  await boris.download(() => boris.press(`${row(message)} [data-action="download"]`));
  await call(table, [anna, boris], room, said.call);
  return said;
}

/** They call each other, see and hear each other, and write in the call. */
async function call(table, [anna, boris], room, text) {
  await table.join([anna, boris], room);
  await allSeeAndHearAll([anna, boris]);
  for (const page of [anna, boris]) await page.click('chat');
  await write(anna, text);
  await reads(boris, text);
  for (const page of [anna, boris]) {
    await page.click('leave');
    await page.see('[data-page="ended"]');
  }
}

/** A direct conversation, begun by the page: it is encrypted. @returns what was said in it */
async function whisper(table, [anna, boris]) {
  const said = canary('direct');
  await anna.goto(`${table.server.url}/`);
  await anna.click('new-direct');
  await anna.fill('usernames', boris.username);
  await anna.click('open-direct');
  await anna.see('.composer textarea[name="message"]');
  const room = await anna.evaluate(() => location.pathname.split('/').at(-1));
  await write(anna, said);
  await openChat(table, boris, { id: room });
  await reads(boris, said);
  const { rooms } = await table.server.request('GET', 'rooms', { token: anna.token });
  assert.equal(rooms.find(({ id }) => id === room).encryption, 'mls');
  return said;
}

/** The same with somebody else, which is open: between two people there is one. */
async function whisperOpenly(table, anna) {
  const said = canary('direct');
  await table.server.register('clara', PASSWORD);
  const room = await table.server.request('POST', 'direct', { token: anna.token, body: { usernames: ['clara'], encryption: 'open', strict: false } });
  assert.equal(room.encryption, 'open');
  await openChat(table, anna, room);
  // With the second one the first has come back over the socket, too.
  for (const text of [said, 'and that is all']) {
    await write(anna, text);
    await reads(anna, text);
  }
  return said;
}

test('t25 of what is written in an encrypted room nothing is in what the server keeps, logs, gets and sends, nor in a crash dump of it, and of an open room all is', () =>
  during(party(TALKATIVE), async (table) => {
    const people = [await table.person('chromium'), await table.person('chromium')];
    const traffic = people.map((page) => page.listenIn());
    const said = {};
    for (const encryption of ['mls', 'open']) said[encryption] = await talk(table, people, await table.room(people, { name: encryption, encryption }));
    said.mls.direct = await whisper(table, people);
    said.open.direct = await whisperOpenly(table, people[0]);
    const all = await collected(table.server, traffic);
    const size = all.reduce((sum, { bytes }) => sum + bytes.length, 0);
    console.log(`collected: ${all.length} things, ${(size / 2 ** 20).toFixed(1)} MiB, of them ${(all.find(({ place }) => place === 'log').bytes.length / 2 ** 20).toFixed(1)} MiB of log`);
    assert.match(table.server.wholeLog().toString(), /"level":"(TRACE|DEBUG)"/, 'the log says more than it does by itself');
    const open = placesOf(all, said.open);
    for (const [what, places] of Object.entries(open)) {
      console.log(`open room, ${what}: ${places.join('; ')}`);
      assert.ok(places.some((place) => place.startsWith('data folder')), `the ${what} of the open room is in the data folder`);
    }
    for (const what of ['message', 'edit', 'answer', 'mention', 'reaction', 'name', 'call', 'direct']) for (const way of ['HTTP', 'WebSocket']) assert.ok(open[what].some((place) => place.includes(way)), `the ${what} of the open room is said by ${way}`);
    for (const [what, places] of Object.entries(placesOf(all, said.mls))) assert.deepEqual(places, [], `the ${what} of the encrypted room`);
    const inMemory = { open: table.server.wordsInMemory(said.open), mls: table.server.wordsInMemory(said.mls) };
    console.log(`in ${(inMemory.open.bytes / 2 ** 20).toFixed(1)} MiB of the server's memory, of the open room: ${inMemory.open.found.join(', ')}`);
    for (const what of ['message', 'edit', 'answer', 'mention', 'name', 'call', 'direct']) assert.ok(inMemory.open.found.includes(what), `the ${what} of the open room is in the memory`);
    assert.deepEqual(inMemory.mls.found, [], 'of the encrypted room nothing is in a crash dump');
  }));

test('t29 an address that is written in an encrypted room is fetched by nobody', () =>
  during(party(), async (table) => {
    const visits = [];
    const web = createServer(({ url }, response) => visits.push(url) && response.end('seen')).listen(0, ADDRESS ?? '127.0.0.1');
    await once(web, 'listening');
    const address = `http://${ADDRESS ?? '127.0.0.1'}:${web.address().port}`;
    try {
      const people = [await table.person('chromium'), await table.person('firefox')];
      const [anna, boris] = people;
      const room = await table.room(people, { encryption: 'mls' });
      for (const page of people) await openChat(table, page, room);
      // Whoever writes has the keys: what was written before they had, they could not read.
      await write(boris, 'I am here');
      await reads(anna, 'I am here');
      await write(anna, `${address}/plan.png`);
      const message = await reads(boris, '/plan.png');
      await boris.see(`${row(message)} a[href="${address}/plan.png"]`);
      // Whatever was begun has been begun by now: the next message went to the server and on to its reader.
      await write(anna, 'have a look');
      await reads(boris, 'have a look');
      assert.deepEqual(visits, []);
      await fetch(`${address}/plan.png`, { headers: { connection: 'close' } });
      assert.deepEqual(visits, ['/plan.png'], 'the witness hears of visits');
    } finally {
      web.close();
    }
  }));

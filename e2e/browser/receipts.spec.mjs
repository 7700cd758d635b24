// Who wrote in an encrypted direct conversation sees that it was read; the server sees one more sealed message, and who does not want it tells nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faults } from './lib/axe.mjs';
import { openChat, reads, textsOf, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const LINE = '.typing-line';
/** Longer than a receipt waits (`web/state/chat/read-marker.js`). */
const LATER_MS = 4_000;

const seesSeen = (page) => page.waitFor('to be told that it was read', (line, text) => document.querySelector(line)?.textContent === text, [LINE, words(page, 'chat.seen')]);
const lineOf = (page) => page.evaluate((line) => document.querySelector(line).textContent, LINE);

/** What the server has of a conversation: how many messages, and whether one of them could be told from the others by anything in it. */
async function keptOf(table, page, { id }) {
  const { entries } = await table.server.request('GET', `rooms/${id}/messages`, { token: page.token });
  return entries.filter(({ kind }) => kind === 'message').map(({ body }) => Buffer.from(body, 'base64url'));
}

test('what was read is told to who wrote it, sealed, and not by whoever turned that off', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const direct = await table.server.request('POST', 'direct', { token: anna.token, body: { usernames: [boris.username], encryption: 'mls' } });
    await openChat(table, boris, direct);
    await openChat(table, anna, direct);
    await write(boris, 'are you there');
    await reads(anna, 'are you there');
    await seesSeen(boris);
    await write(anna, 'I am');
    await reads(boris, 'I am');
    await seesSeen(anna);
    assert.deepEqual(await faults(anna), []);
    const kept = await keptOf(table, anna, direct);
    assert.equal(kept.length, 4);
    assert.ok(kept.every((body) => !body.includes('read')), 'nothing says which of them is a receipt');
    assert.equal(new Set(kept.map(({ length }) => length)).size, 1, 'nor does their length');
    await anna.reload();
    await reads(anna, 'I am');
    await seesSeen(anna);
    assert.deepEqual((await textsOf(anna)).length, 2, 'a receipt is no message');

    await boris.goto(`${table.server.url}/settings`);
    await boris.see('input[name="receipts"]');
    await boris.evaluate(() => document.querySelector('input[name="receipts"]').click());
    await openChat(table, boris, direct);
    await write(anna, 'still there');
    await reads(boris, 'still there');
    await write(boris, 'yes');
    await reads(anna, 'yes');
    await write(anna, 'good');
    await reads(boris, 'good');
    await new Promise((resolve) => setTimeout(resolve, LATER_MS));
    assert.notEqual(await lineOf(anna), words(anna, 'chat.seen'));
    assert.equal((await keptOf(table, anna, direct)).length, 8, 'five messages, two receipts of hers, one of his from before');
  }));

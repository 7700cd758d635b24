// What people see when the server contradicts what it showed of everybody's keys, in both languages: a red banner, nothing that goes out, and the
// way on. The server itself does it here: it is started with another key of its log. What else a server can try is in `e2e/crypto/log.spec.mjs`.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';

import { openChat, reads, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const BANNER = '[data-banner="keys-log"]';

test('t4 another key of the log of keys is said to everybody, nothing is sent before the person goes on, and then it is', () =>
  during(party(), async (table) => {
    const people = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const [anna, boris] = people;
    const room = await table.room(people, { encryption: 'mls' });
    for (const page of people) await openChat(table, page, room);
    // What he writes waits until his device was let in.
    await write(boris, 'may I come in');
    await reads(anna, 'may I come in');
    await write(anna, 'as ever');
    await reads(boris, 'as ever');
    await table.server.stop();
    await table.server.start();
    await write(anna, 'the same server again');
    await reads(boris, 'the same server again');
    for (const page of people) assert.equal(await page.evaluate((banner) => document.querySelectorAll(banner).length, BANNER), 0);

    await table.server.stop();
    table.server.environment = { LOG_KEY: randomBytes(32).toString('base64url') };
    await table.server.start();
    for (const page of people) await page.waitFor('to be told', (banner, text) => document.querySelector(banner)?.innerText.includes(text), [BANNER, words(page, 'keys.log_other')]);
    if (process.env.SCREENSHOTS) for (const page of people) await page.screenshot(`${process.env.SCREENSHOTS}/key-log-${page.label}.png`);
    await write(anna, 'can you read this');
    await reads(anna, 'can you read this', 'waiting');
    await boris.click('accept-log');
    await boris.seeGone(BANNER);
    await write(boris, 'I asked who runs it');
    await reads(anna, 'I asked who runs it');
    await reads(anna, 'can you read this', 'waiting');
    await anna.click('accept-log');
    await anna.seeGone(BANNER);
    await reads(boris, 'can you read this');
    await anna.reload();
    await write(anna, 'after a reload');
    await reads(boris, 'after a reload');
    for (const page of people) assert.equal(await page.evaluate((banner) => document.querySelectorAll(banner).length, BANNER), 0, 'it is settled');
  }));

// A year of messages: back to its first day, there without losing one's place while others write on, and forward to what is new.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dayName } from '../../web/i18n/index.js';
import { NARROW, openChat } from './lib/chat.mjs';
import { liveThrough, post, timeAgo, tokenOf, WRITES_QUICKLY } from './lib/history.mjs';
import { during, party, PASSWORD } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const DAYS = Array.from({ length: 13 }, (_, month) => 364 - 30 * month);
const A_DAY = 250;
const MESSAGES = '.messages';
/** A long turn of the wheel: some windows full. */
const TURN_PX = -9_000;

/** Where a message with this text begins, from the top of the list's window; null while it is not in there. */
function placeOf(page, text) {
  return page.evaluate(
    (wanted, selector) => {
      const list = document.querySelector(selector).getBoundingClientRect();
      const found = [...document.querySelectorAll(`${selector} article.message`)].find((each) => each.querySelector('.message-text')?.textContent === wanted);
      const top = found?.getBoundingClientRect().top;
      return top !== undefined && top >= list.top && top < list.bottom ? top - list.top : null;
    },
    text,
    MESSAGES,
  );
}

const shows = (page, text) => page.until(`"${text}" in the window`, async () => (await placeOf(page, text)) !== null);

async function readsBack(page, text) {
  await page.until(`"${text}" far back`, async () => {
    if ((await placeOf(page, text)) !== null) return true;
    await page.wheel(MESSAGES, TURN_PX);
    return false;
  });
}

/** The day that stands over the first message of all. */
function firstDay(page) {
  return page.evaluate(() => document.querySelector('.messages .day')?.textContent);
}

test('two read back to the first day of a year, keep their place while others write, and return to the newest (chromium, firefox)', () =>
  during(party({ env: WRITES_QUICKLY }), async (table) => {
    const { server } = table;
    let room = null;
    await liveThrough(server, DAYS, async (day) => {
      if (room === null) {
        const tokens = [];
        for (const name of ['anna', 'boris', 'clara']) tokens.push({ token: (await server.register(name, PASSWORD)).access_token });
        room = await table.room(tokens);
      }
      const token = await tokenOf(server, day % 4 === 0 ? 'anna' : 'boris');
      const texts = Array.from({ length: A_DAY }, (_, index) => `${day} days ago, number ${index}`);
      for (const some of [texts.slice(0, 1), texts.slice(1, -1), texts.slice(-1)]) await post(server, token, room, some);
    });
    const readers = [await table.stranger('chromium', { language: 'en' }), await table.stranger('firefox', { language: 'ru', ...NARROW })];
    for (const page of readers) await table.signIn(page, page.username);
    const clara = await tokenOf(server, 'clara');
    const [first, last] = [`${DAYS[0]} days ago, number 0`, `${DAYS.at(-1)} days ago, number ${A_DAY - 1}`];

    for (const page of readers) {
      await openChat(table, page, room);
      await shows(page, last);
      await readsBack(page, first);
      words(page, 'chat.title');
      assert.equal(await firstDay(page), dayName(timeAgo(DAYS[0]), Date.now()));

      const place = await placeOf(page, first);
      const fresh = ['one', 'two', 'three'].map((number) => `${number} for ${page.username}`);
      for (const text of fresh) await post(server, clara, room, [text]);
      await page.seeNamed('button', words(page, 'chat.newer', { count: fresh.length }));
      assert.equal(await placeOf(page, first), place, 'the first message moved');

      await page.pressNamed('button', words(page, 'chat.newer', { count: fresh.length }));
      await shows(page, fresh.at(-1));
      await page.seeGone('.newer:not([hidden])');
    }
  }));

// A conversation by the keyboard alone: found, written in, answered, corrected, searched and left, with the focus always in sight.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { NARROW, reads, row } from './lib/chat.mjs';
import { tabTo } from './lib/keyboard.mjs';
import { post } from './lib/history.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const FIELD = '.composer textarea';

const focusOn = (page, selector) => page.waitFor(`the focus on ${selector}`, (wanted) => document.activeElement?.matches(wanted), [selector]);
const fieldSays = (page, text) => page.waitFor(`"${text}" in the field`, (selector, wanted) => document.querySelector(selector).value === wanted, [FIELD, text]);

async function send(page, text, read = text) {
  await focusOn(page, FIELD);
  await page.type(text);
  await page.key('Enter');
  return reads(page, read);
}

/** Chooses from the open menu by arrows, by the key of its text. */
async function chooseByArrows(page, key) {
  await focusOn(page, '.menu.placed .menu-item');
  const wanted = words(page, key);
  await page.until(`"${wanted}" by arrows`, async () => {
    if (await page.evaluate((text) => document.activeElement.textContent === text, wanted)) return true;
    await page.key('ArrowDown');
    return false;
  });
  await page.key('Enter');
}

for (const [engine, options] of variants([
  ['chromium', { language: 'ru', ...NARROW }],
  ['firefox', { language: 'en' }],
])) {
  test(`a conversation by keyboard alone: write, name an emoji, correct, answer, delete, search (${engine}, ${options.language})`, () =>
    during(party(), async (table) => {
      const { server } = table;
      const anna = await table.person(engine, options);
      const boris = await server.register('boris', 'correct horse battery staple');
      const room = await table.room([anna, { token: boris.access_token }]);
      const [{ id: question }] = await post(server, boris.access_token, room, ['who brings the tent?']);

      await anna.see(`[data-room="${room.id}"] [data-unread="1"]`);
      await tabTo(anna, `[data-room="${room.id}"] [data-action="open-chat"]`);
      await anna.key('Enter');
      await anna.see(row(question));
      await tabTo(anna, FIELD);

      await anna.type('two lines:');
      await anna.key('Shift+Enter');
      const first = await send(anna, 'the second');
      assert.equal(await anna.evaluate((selector) => document.querySelector(`${selector} .message-text`).textContent, row(first)), 'two lines:\nthe second');

      await anna.type('agreed :thumbs_u');
      await anna.see('.completion:not([hidden]) [role="option"]');
      await anna.key('Tab');
      await fieldSays(anna, 'agreed 👍 ');
      await anna.key('Enter');
      await reads(anna, 'agreed 👍');
      const mistake = await send(anna, 'a mistaek and :heart:', 'a mistaek and ❤️');

      await anna.key('ArrowUp');
      await fieldSays(anna, 'a mistaek and ❤️');
      await anna.key('Control+a');
      await anna.type('no mistake');
      await anna.key('Enter');
      await anna.see(`${row(mistake)} [data-action="message-history"]`);

      await anna.key('PageUp');
      await focusOn(anna, '.messages');
      await anna.key('Home');
      await focusOn(anna, row(question));
      await anna.key('Enter');
      await chooseByArrows(anna, 'chat.reply');
      const answer = await send(anna, 'I do');
      await anna.see(`${row(answer)} .quote[data-target="${question}"]`);

      await anna.key('PageUp');
      await anna.key('End');
      await focusOn(anna, row(answer));
      await anna.key('ArrowUp');
      await focusOn(anna, row(mistake));
      await anna.key('Delete');
      await tabTo(anna, 'dialog [data-action="confirm"]');
      await anna.key('Enter');
      await anna.see(`${row(mistake)} .message-gone`);
      await anna.key('Escape');
      await focusOn(anna, FIELD);

      await tabTo(anna, '[data-action="search"]', 'Shift+Tab');
      await anna.key('Enter');
      await focusOn(anna, '[name="search"]');
      await anna.type('tent');
      await anna.see(`.found[data-message="${question}"]`);
      await anna.key('ArrowDown');
      await anna.key('Enter');
      await focusOn(anna, row(question));
      await tabTo(anna, '.chat-heading a', 'Shift+Tab');
      await anna.key('Enter');
      await anna.see('[data-page="rooms"]');
    }));
}

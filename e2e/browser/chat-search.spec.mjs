// Finding what was once written, in what this browser has: as words are typed, whichever of е and ё was written, and without the server.

import { test } from 'node:test';

import { NARROW, openChat, row } from './lib/chat.mjs';
import { post, WRITES_QUICKLY } from './lib/history.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const FILLER = 700;

/** Searches until it is found: what is old comes into this browser's copy bit by bit. */
function finds(page, name, text, id) {
  return page.until(`"${text}" to be found`, async () => {
    await page.pressNamed('searchbox', name);
    await page.key('Control+a');
    await page.type(text);
    return page.waitFor(`an answer to "${text}"`, () => document.querySelector('.search-panel > .hint:not([hidden])')?.textContent).then(() => page.evaluate((wanted) => document.querySelector(`.found[data-message="${wanted}"]`) !== null, id));
  });
}

const jumped = (page, id) => page.waitFor('the message in the window, with the focus', (selector) => document.activeElement?.matches(selector), [row(id)]);

for (const [engine, options] of variants([
  ['chromium', { language: 'en' }],
  ['firefox', { language: 'ru', ...NARROW }],
])) {
  test(`an old message is found by a word and shown in its place, without the server too (${engine}, ${options.language})`, () =>
    during(party({ env: WRITES_QUICKLY }), async (table) => {
      const anna = await table.person(engine, options);
      const room = await table.room([anna], { name: 'Лесной клуб' });
      const old = ['Ещё одна ёлка в лесу', 'an umbrella, forgotten', 'the еж sleeps'];
      const [tree, umbrella, hedgehog] = (await post(table.server, anna.token, room, old)).map(({ id }) => id);
      await post(table.server, anna.token, room, Array.from({ length: FILLER }, (_, index) => `talk of every day, number ${index}`));

      await openChat(table, anna, room);
      await anna.pressNamed('button', words(anna, 'chat.search'));
      const here = words(anna, 'chat.search');
      await finds(anna, here, 'елка', tree);
      await anna.press(`.found[data-message="${tree}"]`);
      await jumped(anna, tree);

      await table.server.stop();
      if (options.width === NARROW.width) await anna.pressNamed('button', here);
      await finds(anna, here, 'ёж', hedgehog);
      await anna.press(`.found[data-message="${hedgehog}"]`);
      await jumped(anna, hedgehog);
      await table.server.start();

      await anna.goto(`${table.server.url}/`);
      await finds(anna, words(anna, 'chat.search_all'), 'umbr', umbrella);
      await anna.press(`.found[data-message="${umbrella}"]`);
      await anna.see('[data-page="conversation"]');
      await jumped(anna, umbrella);
    }));
}

// Answers of one sign: given, joined by others, counted, and taken back; and signs written by their names.

import { test } from 'node:test';

import { agree, choose, hasReactions, NARROW, openChat, reads, row, type, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

/** Finds an emoji by its name in the picker, where it stands first, and takes it. */
async function pick(page, name, sign) {
  await page.seeNamed('searchbox', words(page, 'chat.emoji_search'));
  await page.type(name);
  await page.waitFor('the emoji to be found first', (wanted) => document.querySelector('.emoji-grid .emoji')?.dataset.emoji === wanted, [sign]);
  await page.key('Enter');
}

for (const { engines, language, thumb } of variants([
  { engines: ['chromium', 'firefox', 'chromium'], language: 'en', thumb: 'thumbs' },
  { engines: ['firefox', 'chromium', 'firefox'], language: 'ru', thumb: 'палец' },
])) {
  test(`three people answer with a sign, everybody counts the same, and each can take theirs back (${engines.join(', ')}, ${language})`, () =>
    during(party(), async (table) => {
      const people = [];
      for (const [index, engine] of engines.entries()) people.push(await table.person(engine, { language, ...(index === 1 && NARROW) }));
      const [anna, boris, clara] = people;
      const room = await table.room(people);
      for (const page of people) await openChat(table, page, room);

      await write(anna, 'lunch at noon?');
      const [id] = await Promise.all(people.map((page) => reads(page, 'lunch at noon?')));
      await choose(boris, id, 'chat.react');
      await pick(boris, thumb, '👍');
      await hasReactions(anna, id, [['👍', 1, false]]);
      await hasReactions(boris, id, [['👍', 1, true]]);

      await clara.pressNamed('button', `👍 1: ${boris.username}`);
      await choose(anna, id, 'chat.react');
      await pick(anna, thumb, '👍');
      for (const page of people) await hasReactions(page, id, [['👍', 3, true]]);

      await boris.press(`${row(id)} .reaction`);
      for (const page of [anna, clara]) await hasReactions(page, id, [['👍', 2, true]]);
      await hasReactions(boris, id, [['👍', 2, false]]);

      await clara.reload();
      await clara.see(row(id));
      await hasReactions(clara, id, [['👍', 2, true]]);
    }));
}

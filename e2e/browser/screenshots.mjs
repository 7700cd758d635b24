// Pictures of every page and state for people to look at: node screenshots.mjs FOLDER [LANGUAGE-WIDTH-SCHEME]. Nothing is asserted; a page
// that does not come fails.
//
// Three people sit in a call; one visitor after another, each with a language, a width and a colour scheme of their own, walks through
// everything and is photographed. Only one of the three has a tone, so that a picture shows what marks who speaks.

import { during, party } from './lib/party.mjs';
import { Visit } from './lib/visit.mjs';

const [folder, only] = process.argv.slice(2);
const WIDE = [1400, 900];
const PHONE = [360, 740];
/** Both languages, widths and schemes; every pair of language and width in the light. */
const VISITORS = [
  ['en', WIDE, 'light'],
  ['en', PHONE, 'light'],
  ['ru', WIDE, 'light'],
  ['ru', PHONE, 'light'],
  ['en', WIDE, 'dark'],
  ['ru', PHONE, 'dark'],
];

await during(party(), async (table) => {
  const people = [await table.person('chromium')];
  while (people.length < 3) people.push(await table.person('chromium', { media: { silent: true } }));
  const [anna] = people;
  const rooms = [];
  for (const name of ['Stammtisch', 'Montagsrunde', 'Книжный клуб']) rooms.push(await table.room(people, name));
  await table.join(people, rooms[0]);
  await anna.click('participants');

  for (const [language, size, colour_scheme] of VISITORS) {
    const [width, height] = size;
    const tag = `${language}-${width}-${colour_scheme}`;
    if (only !== undefined && only !== tag) continue;
    const page = await table.stranger('chromium', { width, height, language, colour_scheme, media: { silent: true } });
    const visit = new Visit(table, page, { people, rooms, folder, tag, size });
    await visit.everything();
    await page.close();
    table.people.splice(table.people.indexOf(page), 1);
  }
});

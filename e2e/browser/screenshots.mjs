// Pictures of every page for people to look at: node screenshots.mjs FOLDER. Nothing is asserted; a page that does not come fails.

import { join } from 'node:path';

import { allSeeAndHearAll, sees } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';

const folder = process.argv[2];
const WIDTHS = [[1400, 900], [360, 740]];
const LANGUAGES = ['en', 'ru'];
const SCHEMES = ['light', 'dark'];

await during(party(), async (table) => {
  const others = [];
  for (let index = 0; index < 3; index += 1) others.push(await table.person('chromium'));
  const rooms = [];
  for (const name of ['Stammtisch', 'Montagsrunde', 'Книжный клуб']) rooms.push(await table.room(others, name));
  await table.join(others, rooms[0]);
  await allSeeAndHearAll(others);

  for (const colour_scheme of SCHEMES) {
    for (const language of LANGUAGES) {
      for (const [width, height] of WIDTHS) {
        const name = (page) => join(folder, `${page}-${language}-${width}-${colour_scheme}.png`);
        const page = await table.stranger('chromium', { width, height, language, colour_scheme });
        await pictures(table, page, rooms, others, name);
        await page.close();
        table.people.splice(table.people.indexOf(page), 1);
      }
    }
  }
});

async function pictures(table, page, rooms, others, name) {
  const { server } = table;
  const shoot = async (what, selector) => {
    await page.see(selector);
    // One painted frame after the page is there.
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    await page.screenshot(name(what));
  };
  await page.goto(`${server.url}/login`);
  await shoot('login', '[data-page="login"]');
  await page.goto(`${server.url}/register`);
  await shoot('register', '[data-page="register"]');

  page.username = `visitor.${page.username}.${Math.random().toString(36).slice(2, 8)}`;
  const { access_token } = await server.register(page.username, 'correct horse battery staple');
  await table.signIn(page, page.username);
  await shoot('rooms-empty', '[data-page="rooms"] h1');
  await page.goto(`${server.url}/join/${rooms[0].link_code}`);
  await shoot('join', '[data-action="join-room"]');
  for (const room of rooms) await server.request('POST', 'rooms/join', { token: access_token, body: { code: room.link_code } });
  await page.goto(`${server.url}/`);
  await shoot('rooms', `[data-room="${rooms[2].id}"]`);
  await page.goto(`${server.url}/settings`);
  await shoot('settings', '[data-page="settings"] [data-session]');

  await page.goto(`${server.url}/rooms/${rooms[0].id}`);
  await shoot('prejoin', '[data-page="prejoin"]');
  await page.click('join-call');
  await inCall(page);
  for (const person of others) await sees(page, person);
  await shoot('call', '[data-page="call"]');
  await page.click('participants');
  await shoot('call-participants', '[data-page="call"]');
  await page.click('close-participants');
  await others[0].click('toggle-screen');
  await sees(page, others[0], { kind: 'screen' });
  await shoot('call-screen', '[data-page="call"]');
  await others[0].click('toggle-screen');
  await page.seeGone('[data-tile][data-kind="screen"]');
  await page.click('leave');
  await shoot('ended', '[data-page="ended"]');
}

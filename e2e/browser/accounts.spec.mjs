// From nothing to a call through the pages alone, as a newcomer goes: register, make a room, pass the link on, join; and the way back.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

const PASSWORD = 'a long enough password';

async function register(table, page) {
  await page.goto(`${table.server.url}/register`);
  await fillIn(table, page);
  await page.see('[data-page="rooms"]');
}

async function fillIn(table, page) {
  await page.fill('username', page.username);
  await page.fill('password', PASSWORD);
  await page.fill('registration_secret', table.server.secret);
  await page.click('register');
}

const problem = (page) => page.see('[data-page] [role="alert"]:not([hidden])');

for (const engine of variants(['chromium', 'firefox'])) {
  test(`two newcomers get from the printed address to a call (${engine})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.stranger(engine), await table.stranger(engine)];
      await register(table, anna);

      await anna.fill('room_name', 'Küche & <b>Kaffee</b>');
      await anna.click('create-room');
      await anna.see('[data-page="prejoin"]');
      assert.equal(await anna.evaluate(() => document.querySelector('h1').textContent), 'Küche & <b>Kaffee</b>');
      const [room] = await anna.evaluate(async () => {
        const { access_token } = await (await fetch('/api/v1/auth/refresh', { method: 'POST' })).json();
        return (await (await fetch('/api/v1/rooms', { headers: { authorization: `Bearer ${access_token}` } })).json()).rooms;
      });

      // He has no account yet; what stands in the link for those inside is shown to no server on his way.
      const link = await table.link(anna, room);
      await boris.goto(link);
      await boris.see('[data-page="login"]');
      await boris.evaluate(() => document.querySelector('a[href^="/register"]').click());
      await boris.see('[data-page="register"]');
      const at = new URL(await boris.evaluate(() => location.href));
      assert.deepEqual([at.hash, at.search], [new URL(link).hash, `?next=${encodeURIComponent(new URL(link).pathname)}`]);
      await fillIn(table, boris);
      await boris.click('join-room');
      await boris.see('[data-page="prejoin"]');
      assert.equal(new URL(await boris.evaluate(() => location.href)).hash, '');
      await table.open(anna, `/rooms/${room.id}`);
      for (const page of [anna, boris]) {
        await page.see('[data-page="prejoin"]');
        await page.click('join-call');
        await inCall(page);
      }
      await allSeeAndHearAll([anna, boris]);

      await boris.click('leave');
      await boris.goto(`${table.server.url}/`);
      await boris.see(`[data-room="${room.id}"]`);
      assert.equal(await boris.evaluate((id) => document.querySelector(`[data-room="${id}"] [data-action="delete-room"]`), room.id), null);

      await anna.goto(`${table.server.url}/`);
      await anna.click('delete-room', `[data-room="${room.id}"]`);
      await anna.click('confirm', 'dialog');
      await anna.seeGone(`[data-room="${room.id}"]`);
    }));

  test(`signing in, staying signed in and signing out (${engine})`, () =>
    during(party(), async (table) => {
      const anna = await table.stranger(engine);
      await anna.goto(`${table.server.url}/register`);
      await anna.fill('username', anna.username);
      await anna.fill('password', PASSWORD);
      await anna.fill('registration_secret', 'not the secret');
      await anna.click('register');
      await problem(anna);

      await register(table, anna);
      await anna.reload();
      await anna.see('[data-page="rooms"]');
      await anna.goto(`${table.server.url}/settings`);
      await anna.click('sign-out');
      await anna.see('[data-page="login"]');

      await anna.fill('username', anna.username);
      await anna.fill('password', 'not the password');
      await anna.click('login');
      await problem(anna);
      await anna.fill('password', PASSWORD);
      await anna.click('login');
      // Back to the page that asked for it.
      await anna.see('[data-page="settings"]');
    }));
}

test('a session that is ended from another one is out of its call', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const again = await table.secondWindow(anna);
    const room = await table.room([anna]);
    await table.join([again], room);
    await anna.goto(`${table.server.url}/settings`);
    await anna.see('[data-page="settings"] [data-session]');
    // The account also has the session of its registration: end all but the present one.
    for (let left = await endable(anna); left > 0; left = await endable(anna)) {
      await anna.click('end-session');
      await anna.waitFor('one session fewer', (before) => document.querySelectorAll('[data-action="end-session"]').length < before, [left]);
    }
    await again.see('[data-page="login"], [data-page="ended"]');
  }));

const endable = (page) => page.evaluate(() => document.querySelectorAll('[data-action="end-session"]').length);

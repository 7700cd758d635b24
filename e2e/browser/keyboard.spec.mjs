// A call by the keyboard alone, on a phone's width: from an invitation to the log-in, into the call, and out again. On the way every page
// fits its window, every control has a name, and whoever looks sees where the focus is.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { press, tabTo } from './lib/keyboard.mjs';
import { during, inCall, party, PASSWORD } from './lib/party.mjs';

async function isSound(page, selector) {
  await page.see(selector);
  assert.deepEqual(await page.evaluate(() => window.webcallTest.faults()), [], selector);
}

for (const [engine, language] of [['chromium', 'en'], ['chromium', 'ru'], ['firefox', 'en']]) {
  test(`from an invitation into a call and out again by keyboard, 360 pixels wide (${engine}, ${language})`, () =>
    during(party(), async (table) => {
      const { server } = table;
      const host = await server.register('host', PASSWORD);
      const body = { name: 'A room whose name is longer than a phone is wide', encryption: 'open' };
      const room = await server.request('POST', 'rooms', { token: host.access_token, body });
      const anna = await table.stranger(engine, { width: 360, height: 740, language });
      await server.register(anna.username, PASSWORD);

      await anna.goto(`${server.url}/register`);
      await isSound(anna, '[data-page="register"]');
      await anna.goto(`${server.url}/join/${room.link_code}`);
      await isSound(anna, '[data-page="login"]');
      await anna.waitFor('the focus in the first field', () => document.activeElement.name === 'username');
      await anna.type(anna.username);
      await anna.key('Tab');
      await anna.type(PASSWORD);
      await anna.key('Enter');

      await isSound(anna, '[data-page="join"] [data-action="join-room"]');
      await press(anna, 'join-room');
      await isSound(anna, '[data-page="prejoin"] select[name="camera"]');
      await press(anna, 'join-call');
      await inCall(anna);
      await isSound(anna, '[data-page="call"]');

      await tabTo(anna, '[data-action="toggle-microphone"]');
      await anna.key('Space');
      await anna.see('[data-action="toggle-microphone"][data-state="off"]');
      await press(anna, 'participants');
      await anna.waitFor('the focus in the list', () => document.activeElement.closest('#participants') !== null);
      await isSound(anna, '#participants:not([hidden])');
      await anna.key('Escape');
      await anna.see('#participants[hidden]');
      await anna.waitFor('the focus back on its button', () => document.activeElement.dataset.action === 'participants');
      await press(anna, 'leave');
      await isSound(anna, '[data-page="ended"]');

      await tabTo(anna, 'a[href="/"]');
      await anna.key('Enter');
      await isSound(anna, `[data-page="rooms"] [data-room="${room.id}"]`);
      // Back: past the last stop lies the browser's own window.
      await tabTo(anna, 'a[href="/settings"]', 'Shift+Tab');
      await anna.key('Enter');
      await isSound(anna, '[data-page="settings"] [data-session]');
    }));
}

// More than two: everybody sees everybody's own colour and hears everybody's own tone, and nobody's instead of another's.

import { test } from 'node:test';

import { allSeeAndHearAll, hears } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';

test('five with VP8 see and hear one another', () =>
  during(party(), async (table) => {
    const people = [];
    for (let index = 0; index < 5; index += 1) people.push(await table.person('chromium'));
    await table.join(people, await table.room(people), { codec: 'VP8' });
    await allSeeAndHearAll(people);
  }));

test('ten with sound only hear one another', () =>
  during(party(), async (table) => {
    const people = [];
    for (let index = 0; index < 10; index += 1) people.push(await table.person('chromium'));
    const room = await table.room(people);
    for (const page of people) {
      await table.prejoin(page, room);
      await page.click('toggle-camera');
      await page.click('join-call');
      await inCall(page);
    }
    for (const page of people) {
      for (const person of people) if (person !== page) await hears(page, person);
    }
  }));

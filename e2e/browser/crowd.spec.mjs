// More than two: everybody sees everybody's own colour and hears everybody's own tone, and nobody's instead of another's.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll, hears } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { ALL_VARIANTS, variants } from './lib/variants.mjs';

async function crowd(table, counts) {
  const people = [];
  for (const [engine, count] of Object.entries(counts)) {
    for (let index = 0; index < count; index += 1) people.push(await table.person(engine));
  }
  return people;
}

/** One voice after the other in one page: an ear for each at once would be work that no caller has. */
async function hearsAll(page, people) {
  for (const person of people) if (person !== page) await hears(page, person);
}

for (const [who, counts] of variants([
  ['three in Chromium and two in Firefox', { chromium: 3, firefox: 2 }],
  ['five in Chromium', { chromium: 5 }],
  ['five in Firefox', { firefox: 5 }],
])) {
  test(`${who} see and hear one another with VP8`, () =>
    during(party(), async (table) => {
      const people = await crowd(table, counts);
      await table.join(people, await table.room(people), { codec: 'VP8' });
      await allSeeAndHearAll(people);
    }));
}

// They keep two processors busy for a minute each. In every run there are the ten of `encrypted-crowd.spec.mjs`.
const TEN = [
  ['eight in Chromium and two in Firefox', { chromium: 8, firefox: 2 }],
  ['ten in Chromium', { chromium: 10 }],
  ['ten in Firefox', { firefox: 10 }],
];
for (const [who, counts] of ALL_VARIANTS ? TEN : []) {
  test(`${who} with sound only hear one another`, () =>
    during(party(), async (table) => {
      const people = await crowd(table, counts);
      const room = await table.room(people);
      for (const page of people) {
        await table.prejoin(page, room);
        await page.click('toggle-camera');
        await page.click('join-call');
        await inCall(page);
      }
      await Promise.all(people.map((page) => hearsAll(page, people)));
    }));
}

test('three, each on another worker than the next, see and hear one another', () =>
  during(party({ media: { participants_per_worker: 1 } }), async (table) => {
    const people = await crowd(table, { chromium: 2, firefox: 1 });
    await table.join(people, await table.room(people), { codec: 'VP8' });
    await allSeeAndHearAll(people);
    const metrics = await (await fetch(`${table.server.url}/metrics`)).text();
    assert.match(metrics, /batches_handed_over\S* [1-9]/);
  }));

// How long it takes from the click on join to the first remote picture: printed, never asserted. Twenty joins in e2e/long, three here.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { seesMotion } from './lib/eyes.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

const JOINS = Number(process.env.WEBCALL_JOINS ?? 3);

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];

for (const engine of variants(['chromium', 'firefox'])) {
  test(`the first remote picture comes after a click on join, ${JOINS} times (${engine})`, () =>
    during(party(), async (table) => {
      const [host, guest] = [await table.person('chromium'), await table.person(engine)];
      const room = await table.room([host, guest]);
      await table.join([host], room);
      const times_ms = [];
      for (let round = 0; round < JOINS; round += 1) {
        await table.prejoin(guest, room);
        await guest.evaluate(() => window.webcallTest.armFirstFrame('join-call'));
        await guest.click('join-call');
        times_ms.push(await guest.waitFor('a first picture', () => window.webcallTest.first_frame_ms));
        await seesMotion(guest, host);
        await guest.click('leave');
        await guest.see('[data-page="ended"]');
      }
      const sorted = times_ms.toSorted((one, other) => one - other).map(Math.round);
      console.log(`click to first remote picture (${engine}, ${JOINS} joins): p50 ${percentile(sorted, 0.5)} ms, p95 ${percentile(sorted, 0.95)} ms; all ${sorted.join(' ')}`);
      assert.equal(sorted.length, JOINS);
    }));
}

// The server or its media goes away and comes back: the callers return by themselves, in the page that they were in.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll } from './lib/eyes.mjs';
import { during, inCall, ownParticipant, party } from './lib/party.mjs';

for (const [how, end] of [
  ['is stopped and started', (server) => server.stop()],
  ['is killed and started', (server) => server.kill()],
]) {
  test(`when the server ${how} again, the callers return by themselves`, () =>
    during(party(), async (table) => {
      const people = [await table.person('chromium'), await table.person('chromium'), await table.person('firefox')];
      await table.join(people, await table.room(people));
      await allSeeAndHearAll(people);
      for (const page of people) await page.evaluate(() => void (window.webcallTest.not_reloaded = true));
      await end(table.server);
      for (const page of people) await page.see('[data-page="call"][data-connection="reconnecting"]');
      await table.server.start();
      const ready_ms = Date.now();
      await allSeeAndHearAll(people);
      console.log(`serving after ${table.server.ready_ms} ms; everybody saw and heard everybody ${Date.now() - ready_ms} ms later`);
      for (const page of people) assert.ok(await page.evaluate(() => window.webcallTest.not_reloaded), `${page.label} was reloaded`);
    }));
}

test("when the server's media workers crash, the callers return by themselves", () =>
  during(party({ can_crash: true }), async (table) => {
    const people = [await table.person('chromium'), await table.person('firefox'), await table.person('chromium')];
    await table.join(people, await table.room(people));
    await allSeeAndHearAll(people);
    const seated = await Promise.all(people.map(ownParticipant));
    table.server.crashWorkers();
    const crashed_ms = Date.now();
    for (const [index, page] of people.entries()) {
      await page.waitFor('another participant of its own', (before) => window.webcallTest.tiles().some((tile) => tile.own && tile.participant !== before), [seated[index]]);
    }
    for (const page of people) await inCall(page);
    await allSeeAndHearAll(people);
    console.log(`everybody saw and heard everybody ${Date.now() - crashed_ms} ms after the crash`);
  }));

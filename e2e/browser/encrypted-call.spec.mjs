// Calls in encrypted rooms, as people have them: everybody sees and hears everybody, in either browser, while the server has no key. The lock is
// closed because each client says so by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hears, seesMotion, seesNothingOf } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

/** So many people in one encrypted room; the engines' names say in what. */
async function people(table, ...engines) {
  const pages = [];
  for (const engine of engines) pages.push(await table.person(engine));
  const room = await table.room(pages, { encryption: 'mls' });
  return { pages, room };
}

/** Everybody sees and hears everybody else, under a closed lock. */
async function all(pages) {
  for (const page of pages) {
    for (const other of pages.filter((each) => each !== page)) {
      await seesMotion(page, other);
      await hears(page, other);
    }
    await page.see('.call-header [data-encryption="closed"]');
  }
}

for (const [first, second] of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
  test(`two see and hear each other in an encrypted room, a third comes, one goes (${first}, ${second})`, () =>
    during(party(), async (table) => {
      const { pages: [anna, boris, clara], room } = await people(table, first, second, first);
      await table.join([anna, boris], room);
      await all([anna, boris]);
      await table.join([clara], room);
      await all([anna, boris, clara]);
      await boris.click('leave');
      await seesNothingOf(anna, boris);
      await all([anna, clara]);
      await anna.see(`[data-encryption="closed"][title="${words(anna, 'encryption.closed_hint')}"]`);
    }));
}

test('when the server is killed and started again, those in an encrypted call return by themselves', () =>
  during(party(), async (table) => {
    const { pages, room } = await people(table, 'chromium', 'firefox');
    await table.join(pages, room);
    await all(pages);
    await table.server.kill();
    await table.server.start();
    for (const page of pages) await inCall(page);
    await all(pages);
  }));

test('a reload of one leads back into the encrypted call with new keys', () =>
  during(party(), async (table) => {
    const { pages: [anna, boris], room } = await people(table, 'chromium', 'chromium');
    await table.join([anna, boris], room);
    await all([anna, boris]);
    await boris.reload();
    await boris.click('join-call');
    await inCall(boris);
    await all([anna, boris]);
    assert.equal(await anna.evaluate(() => document.querySelectorAll('[data-tile]').length), 2);
  }));

for (const engine of ['chromium', 'firefox']) {
  test(`t26 a browser without transforms joins no encrypted call and says why, and an open one it does (${engine})`, () =>
    during(party(), async (table) => {
      const { pages: [anna], room } = await people(table, engine);
      await table.prejoin(anna, room);
      await anna.evaluate(() => delete globalThis.RTCRtpScriptTransform);
      await anna.click('join-call');
      await anna.see('[data-reason="encryption_unsupported"]');
      await table.join([anna], await table.room([anna]));
    }));
}

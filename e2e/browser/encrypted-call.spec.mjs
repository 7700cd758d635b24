// Calls in encrypted rooms, as people have them: everybody sees and hears everybody, in either browser, while the server has no key. The lock is
// closed because each client says so by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hears, hearsNothingOf, seesMotion, seesNothingOf } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { Tap } from './lib/tap.mjs';
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

test('t30 the lock is closed by what this client itself sealed, not by what the server says of the room or of others', () =>
  during(party(), async (table) => {
    const { pages: [anna], room } = await people(table, 'chromium');
    await table.prejoin(anna, room);
    for (const source of ['camera', 'microphone']) await anna.click(`toggle-${source}`);
    await anna.click('join-call');
    await inCall(anna);
    await anna.see('.call-header [data-encryption="idle"]');
    await anna.click('toggle-microphone');
    await anna.see('.call-header [data-encryption="closed"]');
  }));

test('t9, t30 somebody in an encrypted call who seals nothing is neither seen nor heard, and everybody’s lock says it; in an open call they are', () =>
  during(party(), async (table) => {
    const { pages, room } = await people(table, 'chromium', 'firefox');
    const open = await table.room(pages);
    const tap = await Tap.of(table, [room, open]);
    await table.join(pages, open);
    await tap.join(open, { sends: true });
    for (const page of pages) {
      await seesMotion(page, tap.page);
      await hears(page, tap.page);
      await page.click('leave');
    }
    await table.join(pages, room);
    await all(pages);
    await tap.join(room, { sends: true });
    for (const page of pages) {
      await page.see(`[data-tile][data-username="${tap.page.username}"]`);
      await page.see('.call-header [data-encryption="attacked"]');
      await seesNothingOf(page, tap.page);
      await hearsNothingOf(page, tap.page);
      for (const other of pages) if (other !== page) await seesMotion(page, other);
    }
  }));

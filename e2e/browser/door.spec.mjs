// The door of a room: whom the server calls a member waits there, reads and hears nothing, and comes in when somebody inside says so; or by the link that somebody inside gave, but into a
// strict room.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faults } from './lib/axe.mjs';
import { NARROW, openChat, reads, textsOf, write } from './lib/chat.mjs';
import { hears } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const DOOR = '[data-banner="people-door"]';
const CAME = '[data-banner="people-came"]';
const WAITING = '[data-banner="keys-waiting"]';

/** What stands above the conversation. */
const lock = (is) => `.chat-title [data-encryption="${is}"]`;

/** Who stands at the door, as this page names them. */
const namesAt = (page) => page.evaluate((wanted) => [...document.querySelectorAll(wanted)].map((banner) => banner.textContent), DOOR);

const joins = (table, page, room) => table.server.request('POST', 'rooms/join', { token: page.token, body: { code: room.link_code } });

for (const [inside, outside] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`t2 whoever the server adds to a strict room waits at its door, and reads and hears from when somebody lets them in (${inside}, ${outside})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(inside, { language: 'en' }), await table.person(outside, { language: 'ru' })];
      const room = await table.room([anna], { encryption: 'mls', strict: true });
      await openChat(table, anna, room);
      await write(anna, 'before');
      await reads(anna, 'before');
      await joins(table, boris, room);
      await openChat(table, boris, room);
      await boris.waitFor('what he waits for', (wanted, text) => document.querySelector(wanted)?.textContent.includes(text), [WAITING, words(boris, 'people.waiting_strict')]);
      await anna.see(DOOR);
      assert.deepEqual([(await namesAt(anna)).length, (await namesAt(anna))[0].includes('boris')], [1, true]);
      assert.deepEqual(await faults(anna), []);

      await write(anna, 'behind the door');
      await reads(anna, 'behind the door');
      assert.ok(!(await textsOf(boris)).some((text) => text.includes('behind the door')));
      // A reload asks again: nobody is let in by forgetting.
      await anna.reload();
      await anna.pressNamed('button', `${words(anna, 'people.let_in')}: boris`, DOOR);
      await anna.seeGone(DOOR);
      await boris.seeGone(WAITING);
      await write(anna, 'welcome');
      await reads(boris, 'welcome');
      // Whoever comes is told who is there, and what they write waits until they have seen it.
      await boris.see(CAME);
      assert.deepEqual(await faults(boris), []);
      await write(boris, 'thank you');
      await boris.see('[data-state="waiting"] .message-text');
      await boris.pressNamed('button', words(boris, 'people.came_seen'), CAME);
      await boris.seeGone(CAME);
      await reads(anna, 'thank you');
      assert.ok(!(await textsOf(boris)).some((text) => text.includes('behind the door')), 'what was said before is not his');

      // In a call, too.
      const clara = await table.person(outside, { language: 'en' });
      await table.join([anna, boris], room);
      await joins(table, clara, room);
      await table.prejoin(clara, room);
      await clara.click('join-call');
      await anna.see(`[data-page="call"] ${DOOR}`);
      await boris.see(`[data-page="call"] ${DOOR}`);
      await anna.resize(NARROW.width, NARROW.height);
      assert.deepEqual(await faults(anna), []);
      await boris.click('let-in');
      await clara.click('greet');
      await inCall(clara);
      await hears(anna, clara);
      await hears(clara, boris);
      for (const page of [anna, boris]) await page.seeGone(DOOR);

      // Whom one lets in is no news to them; the other is told, and says nothing new before they have seen it.
      await boris.seeGone(CAME);
      await anna.see(`[data-page="call"] ${CAME}`);
      assert.deepEqual(await faults(anna), []);
      await anna.click('leave');
      await anna.click('rejoin');
      await anna.click('join-call');
      await anna.waitFor('what keeps her out', (text) => document.body.textContent.includes(text), [words(anna, 'error.newcomers')]);
      await anna.pressNamed('button', words(anna, 'people.came_seen'), `[data-page="call"] ${CAME}`);
      await inCall(anna);
      await anna.seeGone(CAME);
      await hears(anna, clara);
    }));
}

for (const [inside, outside] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`t2 into a room comes who was given its link, and whom the server adds waits at its door (${inside}, ${outside})`, () =>
    during(party(), async (table) => {
      const [anna, boris, ghost] = [await table.person(inside, { language: 'en' }), await table.person(outside, { language: 'ru' }), await table.person(outside, { language: 'en' })];
      const room = await table.room([anna], { encryption: 'mls' });
      await openChat(table, anna, room);
      await write(anna, 'before');
      await table.come(boris, await table.link(anna, room));
      await openChat(table, boris, room);
      await boris.seeGone(WAITING);
      await write(boris, 'by the link');
      await reads(anna, 'by the link');
      assert.deepEqual(await namesAt(anna), []);

      await joins(table, ghost, room);
      await openChat(table, ghost, room);
      await ghost.see(lock('waiting'));
      for (const page of [anna, boris]) await page.see(lock('mls'));
      await ghost.waitFor('what is to be done', (wanted, text) => document.querySelector(wanted)?.textContent.includes(text), [WAITING, words(ghost, 'people.waiting')]);
      for (const page of [anna, boris]) await page.see(DOOR);
      for (const page of [anna, boris, ghost]) assert.deepEqual(await faults(page), []);
      await write(anna, 'behind the door');
      await reads(boris, 'behind the door');
      assert.ok(!(await textsOf(ghost)).some((text) => text.includes('behind the door')));
      // Nor does one hear: whoever is not in the room's group is in no call of it.
      await table.join([anna, boris], room);
      await table.prejoin(ghost, room);
      await ghost.click('join-call');
      await ghost.waitFor('why not', (text) => document.body.textContent.includes(text), [words(ghost, 'error.not_let_in')]);
      await hears(anna, boris);
      // A link that was cut off on its way is the server's word alone; whole, it leads in, also whoever stands outside already.
      const link = await table.link(boris, room);
      await table.come(ghost, link.slice(0, -1));
      await anna.see(`[data-page="call"] ${DOOR}`);
      await table.come(ghost, link);
      await anna.seeGone(DOOR);
      await openChat(table, ghost, room);
      await ghost.seeGone(WAITING);
      await ghost.see(lock('mls'));
      await write(ghost, 'here I am');
      await openChat(table, boris, room);
      await reads(boris, 'here I am');
    }));
}

test('in a strict direct conversation nobody waits who was named', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('chromium', { language: 'en' })];
    await table.open(anna, '/');
    await anna.click('new-direct');
    await anna.fill('usernames', 'boris');
    await anna.pressNamed('checkbox', words(anna, 'encryption.choose_strict'), 'dialog');
    await anna.click('open-direct');
    await anna.seeNamed('textbox', words(anna, 'chat.message'));
    await write(anna, 'just us');
    await reads(anna, 'just us');
    const [direct] = (await table.server.request('GET', 'rooms', { token: boris.token })).rooms.filter(({ kind }) => kind === 'direct');
    assert.equal(direct.strict, true);
    await openChat(table, boris, direct);
    await reads(boris, 'just us');
    assert.deepEqual(await namesAt(anna), []);
  }));

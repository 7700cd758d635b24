// Calls in encrypted rooms, as people have them: everybody sees and hears everybody, in either browser, while the server has no key. The lock is
// closed because each client says so by itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openChat } from './lib/chat.mjs';
import { hears, looksOutFor, noted, notes, refuses, seesMotion, seesNothingOf } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { Tap } from './lib/tap.mjs';
import { variants } from './lib/variants.mjs';
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

for (const [first, second] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
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
    await anna.waitFor('two tiles', () => document.querySelectorAll('[data-tile]').length === 2);
  }));

/** Whom a page marks as speaking. */
function marks(page, person, speaking) {
  return page.waitFor(
    `${person.label} ${speaking ? 'marked as speaking' : 'not marked'}`,
    (username, wanted) => document.querySelector(`[data-tile][data-kind="person"][data-username="${username}"]`)?.classList.contains('speaking') === wanted,
    [person.username, speaking],
  );
}

/** Remembers the page's connections, each with the last answer that it took. */
function watchConnections(page) {
  return page.evaluate(() => {
    const { setRemoteDescription } = RTCPeerConnection.prototype;
    window.connections = new Map();
    RTCPeerConnection.prototype.setRemoteDescription = function (description) {
      window.connections.set(this, description.sdp);
      return setRemoteDescription.call(this, description);
    };
  });
}

/** Of the sound that a page sends: whether packets say how loud it is, and whether its bitrate is constant. */
function agreedOnSound(page) {
  return page.evaluate(() => {
    const [connection, answer] = [...window.connections].at(-1);
    const sounds = connection.getSenders().filter(({ track }) => track?.kind === 'audio');
    const extensions = sounds.flatMap((sender) => (sender.getParameters().headerExtensions ?? []).map(({ uri }) => uri));
    const takes_level = answer.includes('ssrc-audio-level');
    // Where a browser does not tell what it sends, it sends what was agreed upon.
    const says_level = extensions.length > 0 ? extensions.some((uri) => uri.endsWith('ssrc-audio-level')) : takes_level;
    return { takes_level, says_level, is_constant: answer.includes(';cbr=1;usedtx=0') };
  });
}

for (const engine of ['chromium', 'firefox']) {
  test(`in a strict call nothing says who speaks to the server, and everybody still sees it (${engine})`, () =>
    during(party(), async (table) => {
      const pages = [await table.person(engine), await table.person(engine)];
      for (const strict of [false, true]) {
        const room = await table.room(pages, { encryption: 'mls', strict });
        for (const page of pages) {
          await table.prejoin(page, room);
          await watchConnections(page);
          await page.click('join-call');
          if (strict && page !== pages[0]) {
            await pages[0].click('let-in');
            // Who comes into a strict room says first that they have seen who is there.
            await page.click('greet');
          }
          await inCall(page);
        }
        await all(pages);
        for (const page of pages) {
          assert.deepEqual(await agreedOnSound(page), { takes_level: !strict, says_level: !strict, is_constant: strict });
        }
        const [anna, boris] = pages;
        await marks(anna, boris, true);
        await boris.click('toggle-microphone');
        await marks(anna, boris, false);
        await boris.click('toggle-microphone');
        await marks(anna, boris, true);
      }
    }));
}

test('a strict room is made with a second choice under the first, and says so where it is shown', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    await anna.fill('room_name', 'Stille');
    await anna.pressNamed('checkbox', words(anna, 'encryption.choose'));
    assert.equal(await anna.evaluate(() => document.querySelector('[name="strict"]').checkVisibility()), false, 'where nothing is encrypted there is nothing to hide');
    await anna.pressNamed('checkbox', words(anna, 'encryption.choose'));
    await anna.pressNamed('checkbox', words(anna, 'encryption.choose_strict'));
    await anna.see('[data-page="rooms"] [data-strict]');
    await anna.click('create-room');
    await anna.see('[data-page="prejoin"]');
    const { rooms } = await table.server.request('GET', 'rooms', { token: anna.token });
    assert.deepEqual(rooms.map(({ encryption, strict }) => [encryption, strict]), [['mls', true]]);
    await anna.goto(`${table.server.url}/`);
    await anna.click('room-details', `[data-room="${rooms[0].id}"]`);
    await anna.see('dialog [data-strict]');
  }));

for (const engine of ['chromium', 'firefox']) {
  test(`t26 a browser without transforms joins no encrypted call and says why, and an open one it does (${engine})`, () =>
    during(party(), async (table) => {
      const { pages: [anna], room } = await people(table, engine);
      await table.prejoin(anna, room);
      await anna.evaluate(() => delete globalThis.RTCRtpScriptTransform);
      await anna.click('join-call');
      await anna.see('[data-reason="encryption_unsupported"]');
      const open = await table.room([anna]);
      await table.join([anna], open);
      await anna.see('.call-header [data-encryption="open"]');
      await anna.click('leave');
      await openChat(table, anna, open);
      await anna.see('.chat-title [data-encryption="open"]');
      // Nor is a room promised that it could not call in: what it makes is open, and that is said before.
      await anna.evaluate(() => {
        delete globalThis.RTCRtpScriptTransform;
        document.querySelector('a[href="/"]').click();
      });
      await anna.waitFor('it to be said', (text) => document.querySelector('[data-page="rooms"]')?.innerText.includes(text), [words(anna, 'error.encryption_unsupported')]);
      assert.equal(await anna.evaluate(() => document.querySelector('[name="encrypted"]')), null);
      await anna.fill('room_name', 'Made here');
      await anna.click('create-room');
      await anna.see('[data-page="prejoin"] [data-encryption="open"]');
      const { rooms } = await table.server.request('GET', 'rooms', { token: anna.token });
      assert.equal(rooms.find(({ name }) => name === 'Made here').encryption, 'open');
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
    const { label } = tap.page;
    await table.join(pages, open);
    for (const page of pages) await looksOutFor(page, [tap.page]);
    await tap.join(open, { sends: true });
    for (const page of pages) {
      await seesMotion(page, tap.page);
      await hears(page, tap.page);
      await notes(page, [`picture of ${label} as ${label}`, `voice of ${label} as ${label}`]);
      await page.click('leave');
    }
    await table.join(pages, room);
    await all(pages);
    for (const page of pages) await looksOutFor(page, [tap.page]);
    await tap.join(room, { sends: true });
    for (const page of pages) {
      await page.see(`[data-tile][data-username="${tap.page.username}"]`);
      await page.see('.call-header [data-encryption="attacked"]');
      // Pictures and sound have come, and go on to come for seconds.
      await refuses(page, 'clear_refused', { lines: 2 });
      assert.deepEqual(await noted(page), []);
      for (const other of pages) if (other !== page) await seesMotion(page, other);
    }
  }));

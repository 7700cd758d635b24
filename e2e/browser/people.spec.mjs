// People who verify each other, as they do it: what both read out is the same, who was compared with is marked wherever they are shown, and
// whoever shows other keys afterwards is marked no more.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { darkPath } from '../../web/ui/qr.js';
import { certify } from '../crypto/lib/certificates.mjs';
import { Culprit, HARMS, NO_HARM } from '../crypto/lib/culprit.mjs';
import { faults } from './lib/axe.mjs';
import { NARROW, openChat, reads, write } from './lib/chat.mjs';
import { PASSWORD, during, party } from './lib/party.mjs';
import { camerasRead, codeText, firstIdentity } from './lib/safety.mjs';
import { words } from './lib/words.mjs';

const HARM = '[data-banner="people-harm"]';
const WIDE = { width: 1280, height: 900 };

/** People of these engines in an encrypted room, each of whom reads what the first writes. */
async function together(table, room, pages) {
  for (const page of pages) await openChat(table, page, room);
  // What they write waits until somebody has let them in; what was written before that, they could not read.
  for (const page of pages.slice(1)) {
    await write(page, `${page.username} is here`);
    await reads(pages[0], `${page.username} is here`);
  }
  await write(pages[0], 'hello');
  for (const page of pages) await reads(page, 'hello');
}

const row = (person) => `.member[data-username="${person.username}"]`;

/** Opens the comparison with somebody from the room's details; what is to be compared. */
async function compare(page, person) {
  await page.click('room-details');
  await page.click('safety-number', row(person));
  return comparison(page);
}

const comparison = (page) =>
  page.waitFor('what is to be compared', () => {
    const dialog = document.querySelector('dialog .safety-number')?.closest('dialog');
    return dialog && { digits: dialog.querySelector('.safety-number').textContent.replace(/\s/g, ''), emoji: dialog.querySelector('.safety-emoji').dataset.emoji };
  });

/** The dark squares of the code on the screen, as a path. */
const drawn = (page) => page.waitFor('a code', () => document.querySelector('dialog .qr path')?.getAttribute('d'));

/** What a worker of the keys in this page answers, beside the page's own. */
const asks = (page, user, request, type) =>
  page.evaluate(
    async (whose, asked, kind) => {
      const base = document.querySelector('link[rel="modulepreload"]').href.match(/^.*\/a\/[0-9a-f]+\//)[0];
      const { Keys, startKeysWorker } = await import(`${base}e2ee/keys/page.js`);
      const keys = new Keys(startKeysWorker);
      await keys.begin(whose);
      const answer = await keys.ask(asked, kind);
      keys.close();
      return answer;
    },
    user,
    request,
    type,
  );

async function closeDialogs(page) {
  await page.evaluate(() => document.querySelectorAll('dialog').forEach((each) => each.close()));
  await page.seeGone('dialog');
}

/** Six, as the lock of the call tells them. */
async function callWords(page) {
  await page.click('encryption', '.call-header');
  const emoji = await page.waitFor('the words of the call', () => document.querySelector('dialog .safety-emoji')?.dataset.emoji);
  return emoji;
}

test('t3 two people compare what both see alike and are marked in room and call, and new keys take the mark away', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en', ...WIDE }), await table.person('firefox', { language: 'ru' })];
    const room = await table.room([anna, boris], { encryption: 'mls' });
    await together(table, room, [anna, boris]);
    const [annas, boriss] = [await compare(anna, boris), await compare(boris, anna)];
    assert.deepEqual(annas, boriss);
    assert.deepEqual([annas.digits.length, annas.emoji.split(' ').length], [60, 20]);
    assert.deepEqual(await faults(anna), []);
    await anna.resize(NARROW.width, NARROW.height);
    assert.deepEqual(await faults(anna), []);
    await anna.resize(WIDE.width, WIDE.height);
    assert.equal(await anna.evaluate(() => document.querySelector('[data-verified]')), null, 'nobody is marked before');
    for (const [page, person] of [[anna, boris], [boris, anna]]) {
      await page.click('verify');
      await page.see(`${row(person)} [data-verified="yes"]`);
      await closeDialogs(page);
    }
    await anna.reload();
    await anna.click('room-details');
    await anna.see(`${row(boris)} [data-verified="yes"]`);
    await closeDialogs(anna);

    const direct = await table.server.request('POST', 'direct', { token: anna.token, body: { usernames: [boris.username], encryption: 'mls' } });
    await openChat(table, anna, direct);
    await anna.see('.chat-title [data-verified="yes"]');

    await table.join([anna, boris], room);
    await anna.see(`[data-tile][data-username="${boris.username}"] [data-verified="yes"]`);
    await boris.see(`[data-tile][data-username="${anna.username}"] [data-verified="yes"]`);
    await anna.click('participants');
    await anna.see(`.participant[data-username="${boris.username}"] [data-verified="yes"]`);
    for (const page of [anna, boris]) await page.click('leave');

    // Boris begins anew, or somebody who has his password says so.
    await openChat(table, anna, room);
    const user = await table.userOf(boris);
    const { records } = await table.server.request('GET', `e2ee/users/${user}/keys`, { token: boris.token });
    const keys = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
    const deviceKey = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey));
    const { records: made } = await certify(user, deviceKey, new Uint8Array(Buffer.from(records.at(-1).record, 'base64url')));
    for (const record of made) await table.server.request('POST', 'e2ee/keys/records', { token: boris.token, body: { record: Buffer.from(record).toString('base64url'), password: PASSWORD } });
    await anna.see('[data-banner="keys-lost"]');
    await anna.click('compare', '[data-banner="keys-lost"]');
    assert.notEqual((await comparison(anna)).digits, annas.digits);
    await anna.click('accept-keys');
    await anna.pressNamed('button', words(anna, 'people.accept_unseen'), 'dialog:last-of-type');
    await anna.seeGone('[data-banner="keys-lost"]');
    await anna.click('room-details');
    await anna.see(row(boris));
    assert.equal(await anna.evaluate(() => document.querySelector('[data-verified]')), null, 'accepted, and not compared');
  }));

test('t3 who has neither a device nor a way back begins anew by the password, and whom that concerns is told before a call and in it', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en', ...WIDE }), await table.person('chromium')];
    const room = await table.room([anna, boris], { encryption: 'mls' });
    await together(table, room, [anna, boris]);
    // His browser is gone with all that it kept.
    await table.open(boris, '/login');
    const fresh = await table.secondWindow(boris, 'firefox');
    await table.open(fresh, '/settings');
    await fresh.see('[data-part="anew"]');
    await fresh.evaluate(() => (document.querySelector('[data-part="anew"]').open = true));
    assert.deepEqual(await faults(fresh), []);
    await fresh.fill('password', 'not his password');
    await fresh.click('begin-anew');
    await fresh.see('[data-part="anew"] .problem:not([hidden])');
    await fresh.evaluate(() => (document.querySelector('[data-part="anew"]').open = true));
    await fresh.fill('password', PASSWORD);
    await fresh.click('begin-anew');
    await fresh.see('[data-part="ways"]');

    await table.prejoin(anna, room);
    await anna.see('.prejoin [data-banner="keys-changed"]');
    assert.deepEqual(await faults(anna), []);
    await anna.click('join-call');
    await anna.see('[data-page="call"] [data-banner="keys-changed"]');
    await anna.click('compare', '[data-page="call"] [data-banner="keys-changed"]');
    await anna.click('accept-keys');
    await anna.pressNamed('button', words(anna, 'people.accept_unseen'), 'dialog:last-of-type');
    await anna.seeGone('[data-banner="keys-changed"]');
    await table.join([fresh], room);
    await anna.see(`[data-tile][data-username="${boris.username}"]`);
    for (const page of [anna, fresh]) await page.click('leave');
    await openChat(table, fresh, room);
    await write(fresh, 'here again');
    await openChat(table, anna, room);
    await reads(anna, 'here again');
  }));

test('all in a call see the same six words, and others once somebody has come', () =>
  during(party(), async (table) => {
    const pages = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const third = await table.person('chromium', { language: 'ru', ...NARROW });
    const room = await table.room([...pages, third], { encryption: 'mls' });
    await table.join(pages, room);
    for (const page of pages) await page.see('.call-header [data-encryption="closed"]');
    const two = [await callWords(pages[0]), await callWords(pages[1])];
    assert.equal(two[0].split(' ').length, 6);
    assert.equal(two[0], two[1]);
    // The dialogs stay open: what they show follows.
    await table.join([third], room);
    await third.see('.call-header [data-encryption="closed"]');
    const three = await callWords(third);
    assert.notEqual(three, two[0]);
    for (const page of pages) await page.see(`dialog .safety-emoji[data-emoji="${three}"]`);
    assert.deepEqual(await faults(third), []);
  }));

test('t3 whoever is in a call is compared with and marked without leaving it', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const inList = (person) => `.participant[data-username="${person.username}"]`;
    const tile = (person) => `[data-tile][data-username="${person.username}"]`;
    const room = await table.room([anna, boris], { encryption: 'mls' });
    await table.join([anna, boris], room);
    const seen = [];
    for (const [page, other] of [[anna, boris], [boris, anna]]) {
      await page.click('participants');
      await page.click('safety-number', inList(other));
      seen.push(await comparison(page));
      assert.equal(await page.evaluate((own) => document.querySelector(`${own} [data-action="safety-number"]`), inList(page)), null, 'nobody compares with themselves');
    }
    assert.deepEqual(seen[0], seen[1]);
    assert.deepEqual(await faults(anna), []);
    await anna.click('verify');
    await anna.see(`${inList(boris)} [data-verified="yes"]`);
    await anna.see(`${tile(boris)} [data-verified="yes"]`);
    assert.equal(await boris.evaluate(() => document.querySelector('[data-verified]')), null, 'who pressed nothing has marked nobody');

    const open = await table.room([anna, boris], { encryption: 'open' });
    for (const page of [anna, boris]) await closeDialogs(page).then(() => page.click('leave'));
    await table.join([anna, boris], open);
    await anna.click('participants');
    await anna.see(inList(boris));
    assert.equal(await anna.evaluate(() => document.querySelector('[data-action="safety-number"]')), null, 'where keys prove nothing');
  }));

test('t3 a code that is scanned verifies who shows it if both see the same keys, and nobody else', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium'), await table.person('firefox')];
    const room = await table.room([anna, boris], { encryption: 'mls' });
    await together(table, room, [anna, boris]);
    const [hers, his] = await Promise.all([anna, boris].map(async (page) => {
      const user = await table.userOf(page);
      return { user, identity: await firstIdentity(table, anna, user) };
    }));
    await compare(boris, anna);
    // That such a code is read as its text, `web/crypto/tests/sealing/safety.rs` shows with another decoder.
    const { rows } = await asks(boris, his.user, { op: 'qr', text: codeText(his, hers) }, 'qr');
    assert.equal(await drawn(boris), darkPath(rows), 'his screen shows what her camera is to read');
    await closeDialogs(boris);
    await camerasRead(anna, codeText({ ...his, identity: hers.identity }, hers));
    await compare(anna, boris);
    await anna.see('dialog .qr');
    await anna.click('scan-code');
    await anna.waitFor('to be warned', (text) => [...document.querySelectorAll('dialog [role="alert"]')].some((each) => each.textContent.includes(text)), [words(anna, 'error.other_keys')]);
    await closeDialogs(anna);
    await camerasRead(anna, 'https://example.org/');
    await compare(anna, boris);
    await anna.click('scan-code');
    await anna.waitFor('to be told', (text) => [...document.querySelectorAll('dialog [role="alert"]')].some((each) => each.textContent.includes(text)), [words(anna, 'error.no_safety_code')]);
    await closeDialogs(anna);
    assert.equal(await anna.evaluate(() => document.querySelector('[data-verified]')), null);
    await camerasRead(anna, codeText(his, hers));
    await compare(anna, boris);
    await anna.click('scan-code');
    await anna.see(`${row(boris)} [data-verified="yes"]`);
  }));

test('t2 whoever waits for keys is told so, who comes is told to those who are there once, and a chain that does not verify is said', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const room = await table.room([anna], { encryption: 'mls' });
    await together(table, room, [anna]);
    // She has seen that she is alone; the page asks the same when it has the time.
    assert.deepEqual((await asks(anna, await table.userOf(anna), { op: 'newcomers', room: room.id }, 'newcomers')).users, []);
    const link = await table.link(anna, room);
    await anna.goto('about:blank');
    await table.come(boris, link);
    await openChat(table, boris, room);
    await boris.see('[data-banner="keys-waiting"]');
    await openChat(table, anna, room);
    await boris.seeGone('[data-banner="keys-waiting"]');
    await anna.waitFor('to be told who came', (name) => document.querySelector('[data-banner="people-came"]')?.textContent.includes(name), [boris.username]);
    assert.deepEqual(await faults(anna), []);
    await anna.reload();
    await anna.click('greet');
    await anna.seeGone('[data-banner="people-came"]');
    await anna.reload();
    await write(anna, 'welcome');
    await reads(boris, 'welcome');
    assert.equal(await anna.evaluate(() => document.querySelector('[data-banner="people-came"]')), null, 'and not again');

    const user = await table.userOf(boris);
    await anna.evaluate((whose) => {
      const whole = globalThis.fetch;
      globalThis.fetch = async (url, init) => {
        const answer = await whole(url, init);
        if (!String(url).includes(`e2ee/users/${whose}/keys`)) return answer;
        const { records } = await answer.json();
        return Response.json({ records: records.slice(0, 1) });
      };
    }, user);
    await anna.click('room-details');
    await anna.click('safety-number', row(boris));
    await anna.see('[data-banner="keys-refused"]');
    await anna.see(`${row(boris)} .trust-refused`);
  }));

test('t19 whoever changes the keys so that nobody can follow is named to those who came in anew, in the conversation and in a call', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('firefox', { language: 'ru' })];
    const room = await table.room([anna], { encryption: 'mls' });
    await openChat(table, anna, room);
    const culprit = await Culprit.of(table.server, 'culprit');
    table.atEnd(() => culprit.stop());
    const link = await table.link(anna, room);
    const joined = culprit.joins(room);
    await anna.click('let-in');
    await joined;
    await table.come(boris, link);
    await together(table, room, [anna, boris]);
    await table.join([boris], room);
    const group = { kind: 'room', id: room.id };
    await culprit.commits(group, NO_HARM);
    await write(anna, 'the control');
    await reads(anna, 'the control');
    for (const page of [anna, boris]) await page.seeGone(HARM);

    await culprit.commits(group, HARMS['secrets that open for nobody']);
    for (const page of [anna, boris]) {
      await page.waitFor('who it was', (banner) => document.querySelector(banner)?.textContent.includes('culprit'), [HARM]);
      assert.deepEqual(await faults(page), []);
    }
    await write(anna, 'it goes on');
    await reads(anna, 'it goes on');
    for (const page of [anna, boris]) {
      await page.pressNamed('button', words(page, 'people.came_seen'), HARM);
      await page.seeGone(HARM);
    }
  }));

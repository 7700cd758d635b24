// The ways back to one's messages, as a person has them: reminded once, set up in the settings, shown in a browser that has lost everything.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faults } from './lib/axe.mjs';
import { agree, NARROW, openChat, reads, write } from './lib/chat.mjs';
import { tabTo } from './lib/keyboard.mjs';
import { during, party } from './lib/party.mjs';
import { camerasRead } from './lib/safety.mjs';
import { words } from './lib/words.mjs';

const PASSPHRASE = 'boats leave quietly at seven';
const DAY_MS = 24 * 60 * 60 * 1000;
const WIDE = { width: 1400, height: 900 };
const REMINDER = '[data-banner="backup"]';

async function settings(table, page) {
  await page.goto(`${table.server.url}/settings`);
  await page.see('[data-section="keys"]:not([data-standing="off"]):not([data-standing="starting"])');
}

/** Alone in an encrypted room, with a message sent. */
async function writer(table, language) {
  const anna = await table.person('chromium', { language, ...WIDE });
  const room = await table.room([anna], { encryption: 'mls' });
  await openChat(table, anna, room);
  assert.equal(await anna.evaluate((wanted) => document.querySelector(wanted), REMINDER), null, 'nothing is lost yet');
  await write(anna, 'the first of all');
  await reads(anna, 'the first of all');
  return { anna, room };
}

/** All that this browser keeps of the keys and messages is gone; the person stays signed in. */
async function losesAll(table, page) {
  await page.goto(`${table.server.url}/healthz`);
  await page.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) {
      await new Promise((resolve, reject) => Object.assign(indexedDB.deleteDatabase(name), { onsuccess: resolve, onerror: reject }));
    }
  });
  await settings(table, page);
  await page.see('[data-section="keys"][data-standing="unvouched"] .keys-code');
}

/** As it stands, wide and narrow, axe finds nothing. */
async function isSound(page) {
  for (const size of [WIDE, NARROW]) {
    await page.resize(size.width, size.height);
    assert.deepEqual(await faults(page), [], `${size.width} wide`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth), false, 'it fits');
  }
  await page.resize(WIDE.width, WIDE.height);
}

const standsAt = (page, name) => page.see(`[data-backup="${name}"]`);

async function setPassphrase(page, text, again = text) {
  await page.fill('passphrase', text);
  await page.fill('again', again);
  await page.click('passphrase-set');
}

const refused = (page, key) => page.waitFor(`to be told ${key}`, (text) => [...document.querySelectorAll('[role="alert"]:not([hidden])')].some((each) => each.textContent === text), [words(page, key)]);

for (const language of ['en', 'ru']) {
  test(`who has written something is reminded, once in a week, until there is a way back (${language})`, () =>
    during(party(), async (table) => {
      const { anna, room } = await writer(table, language);
      await anna.see(REMINDER);
      await isSound(anna);
      await tabTo(anna, '[data-action="remind-later"]');
      await anna.key('Enter');
      await anna.seeGone(REMINDER);
      await openChat(table, anna, room);
      await reads(anna, 'the first of all');
      await write(anna, 'and one more');
      await reads(anna, 'and one more');
      assert.equal(await anna.evaluate((wanted) => document.querySelector(wanted), REMINDER), null, 'later is later');
      await anna.evaluate((days_ms) => localStorage.setItem('webcall.remindOfKeysAfter', String(Number(localStorage.getItem('webcall.remindOfKeysAfter')) - days_ms)), 7 * DAY_MS);
      await openChat(table, anna, room);
      await anna.see(REMINDER);
      await anna.click('set-up-recovery');
      await standsAt(anna, 'none');
      await anna.click('add-recovery_code');
      await anna.see('dialog .keys-code');
      await isSound(anna);
      await anna.click('recovery-code-kept');
      await standsAt(anna, 'one');
      await openChat(table, anna, room);
      await reads(anna, 'and one more');
      assert.equal(await anna.evaluate((wanted) => document.querySelector(wanted), REMINDER), null, 'there is a way now');
    }));
}

test('t27_a_browser_that_lost_everything_is_opened_by_the_passkey_and_once_that_is_gone_by_the_passphrase', () =>
  during(party(), async (table) => {
    const { anna } = await writer(table, 'en');
    await settings(table, anna);
    await standsAt(anna, 'none');
    await isSound(anna);
    const stolen = await anna.plugIn();
    await stolen.refuse();
    await anna.click('add-passkey');
    await refused(anna, 'error.passkey_cancelled');
    await standsAt(anna, 'none');
    await stolen.unplug();
    const key = await anna.plugIn();
    await anna.click('add-passkey');
    await anna.see('[data-way="passkey"]');
    await standsAt(anna, 'one');
    assert.equal(await key.count(), 1);

    await anna.click('add-passphrase');
    await setPassphrase(anna, 'short');
    await refused(anna, 'error.passphrase_short');
    await setPassphrase(anna, 'abcdefghijklmnop');
    await refused(anna, 'error.passphrase_plain');
    await setPassphrase(anna, PASSPHRASE, `${PASSPHRASE}!`);
    await refused(anna, 'error.passphrases_differ');
    await isSound(anna);
    await setPassphrase(anna, PASSPHRASE);
    await standsAt(anna, 'backed-up');
    await isSound(anna);

    await losesAll(table, anna);
    await isSound(anna);
    await anna.see('details[data-way="passphrase"][open]');
    await anna.press('details[data-way="passkey"] summary');
    await anna.click('use-passkey');
    await anna.see('[data-section="keys"][data-standing="ready"]');
    await standsAt(anna, 'backed-up');

    await key.forget();
    await losesAll(table, anna);
    await anna.press('details[data-way="passkey"] summary');
    await anna.click('use-passkey');
    await refused(anna, 'error.passkey_cancelled');
    await anna.press('details[data-way="passphrase"] summary');
    await anna.fill('passphrase', `${PASSPHRASE}?`);
    await anna.click('use-passphrase');
    await refused(anna, 'error.wrong_secret');
    await tabTo(anna, 'details[data-way="passphrase"] [name="passphrase"]', 'Shift+Tab');
    await anna.fill('passphrase', PASSPHRASE);
    await anna.key('Enter');
    await anna.see('[data-section="keys"][data-standing="ready"]');

    await anna.click('remove-way', '[data-way="passkey"]');
    await anna.waitFor('to be warned', (text) => document.querySelector('dialog').textContent.includes(text), [words(anna, 'keys.remove_leaves_one')]);
    await agree(anna, 'keys.remove');
    await anna.seeGone('[data-way="passkey"]');
    await standsAt(anna, 'one');
  }));

test('a second browser that the first one vouched for can set up ways back itself, and is told of a third', () =>
  during(party(), async (table) => {
    const { anna, room } = await writer(table, 'en');
    const other = await table.secondWindow(anna, 'chromium');
    await settings(table, other);
    const link = await other.waitFor('the link of its request', () => document.querySelector('[data-section="keys"] .copyable')?.value);
    await settings(table, anna);
    await anna.fill('link', link);
    await anna.click('add-device');
    await anna.click('confirm-device', 'dialog');
    await other.see('[data-section="keys"][data-standing="ready"]');
    await other.see('[data-action="add-device"]');
    await other.click('add-passphrase');
    await setPassphrase(other, PASSPHRASE);
    await standsAt(other, 'one');
    await settings(table, anna);
    await anna.see('[data-way="passphrase"]');

    // The same by the camera, with a code on the screen of the new one.
    const third = await table.secondWindow(anna, 'chromium');
    await settings(table, third);
    const shown = await third.waitFor('the link of its request', () => document.querySelector('[data-section="keys"] .copyable')?.value);
    await third.see('[data-section="keys"] .qr');
    await anna.goto(`${table.server.url}/`);
    await anna.see('[data-page="rooms"]');
    await camerasRead(anna, shown);
    await anna.evaluate(() => document.querySelector('a[href="/settings"]').click());
    await anna.click('scan-code', '[data-section="keys"]');
    await anna.click('confirm-device', 'dialog');
    await third.see('[data-section="keys"][data-standing="ready"]');

    // Nobody who uses the second browser had to do with that.
    await other.see('[data-section="keys"] [data-banner="keys-device"]');
    await settings(table, other);
    await other.see('[data-badge="new"]');
    await isSound(other);
    assert.equal(await anna.evaluate(() => document.querySelector('[data-banner="keys-device"]')), null, 'who confirmed it knows');
    await openChat(table, other, room);
    await other.see('[data-page="conversation"] [data-banner="keys-device"]');
    await isSound(other);
    if (process.env.SCREENSHOTS) await other.screenshot(`${process.env.SCREENSHOTS}/device-news.png`);
    await tabTo(other, '[data-action="know-device"]');
    await other.key('Enter');
    await other.seeGone('[data-banner="keys-device"]');
    await other.reload();
    await settings(table, other);
    await other.see('[data-section="keys"][data-standing="ready"] [data-device]');
    assert.equal(await other.evaluate(() => document.querySelector('[data-banner="keys-device"], [data-badge="new"]')), null, 'once');
  }));

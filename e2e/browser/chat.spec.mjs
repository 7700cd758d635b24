// What people write to each other, between calls and in one: live, edited, answered, deleted, found again, with files, and while the server
// is away. Two people in two browsers, both languages, wide and narrow.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { allSeeAndHearAll } from './lib/eyes.mjs';
import { during, inCall, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';

async function openChat(table, page, room) {
  await page.goto(`${table.server.url}/rooms/${room.id}?chat`);
  await page.see('.composer textarea[name="message"]');
}

async function write(page, text) {
  await page.fill('message', text);
  await page.click('send', '.composer');
}

/** Waits for a message with this text, and gives its identifier. */
function reads(page, text, state = 'sent') {
  const find = (wanted, kept) => [...document.querySelectorAll('article.message')].find((each) => each.dataset.state === kept && each.querySelector('.message-text')?.textContent.includes(wanted))?.dataset.message;
  return page.waitFor(`the message "${text}" (${state})`, find, [text, state]);
}

const row = (id) => `article[data-message="${id}"]`;

/** Opens the menu of a message, as the right button does, and chooses from it. */
async function choose(page, id, action) {
  await page.evaluate((selector) => document.querySelector(selector).dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: 60, clientY: 200 })), row(id));
  await page.click(action, '.menu.placed');
}

const NARROW = { width: 360, height: 740 };

for (const [engines, options] of [
  [['chromium', 'firefox'], { language: 'en' }],
  [['firefox', 'chromium'], { language: 'ru', ...NARROW }],
]) {
  test(`two write, edit, answer and delete, and each sees it at once (${engines.join(', ')}, ${options.language})`, () =>
    during(party(), async (table) => {
      const anna = await table.person(engines[0], options);
      const boris = await table.person(engines[1], options);
      const room = await table.room([anna, boris]);
      await openChat(table, anna, room);
      await openChat(table, boris, room);

      await write(anna, 'Good morning & <b>hello</b> https://example.org/a');
      const first = await reads(boris, '<b>hello</b>');
      const link = await boris.evaluate((selector) => ({ ...document.querySelector(selector)?.attributes && Object.fromEntries([...document.querySelector(selector).attributes].map(({ name, value }) => [name, value])) }), `${row(first)} a`);
      assert.equal(link.href, 'https://example.org/a');
      assert.match(link.rel, /noopener/);

      await write(anna, 'a mistaek');
      const second = await reads(boris, 'a mistaek');
      // The last one that is sent is edited: on its writer's own page it may still be on its way.
      await reads(anna, 'a mistaek');
      await anna.evaluate(() => {
        const field = document.querySelector('.composer textarea');
        field.focus();
        field.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true, cancelable: true }));
      });
      await anna.waitFor('the message in the field', () => document.querySelector('.composer textarea').value === 'a mistaek');
      await write(anna, 'no mistake');
      await reads(boris, 'no mistake');
      await boris.see(`${row(second)} [data-action="message-history"]`);

      await choose(boris, second, 'message-reply');
      await write(boris, 'quite so');
      const answer = await reads(anna, 'quite so');
      await anna.see(`${row(answer)} .quote[data-target="${second}"]`);

      await choose(anna, second, 'message-remove');
      await anna.click('confirm', 'dialog[open]');
      await boris.waitFor('the message to be gone', (selector) => document.querySelector(`${selector} .message-gone`) !== null, [row(second)]);

      // Away and back: everything is there, from the local copy and from the server.
      await openChat(table, boris, room);
      await reads(boris, 'quite so');
      await boris.goto(`${table.server.url}/`);
      await write(anna, 'are you there?');
      await boris.waitFor('one unread message', (id) => document.querySelector(`[data-room="${id}"] [data-unread]`)?.dataset.unread === '1', [room.id]);
    }));
}

for (const engines of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`what is written while the server is away waits, and is sent once when it is back, in order (${engines.join(' to ')})`, () =>
    during(party(), async (table) => {
      const anna = await table.person(engines[0]);
      const boris = await table.person(engines[1]);
      const room = await table.room([anna, boris]);
      await openChat(table, anna, room);
      await openChat(table, boris, room);
      await write(anna, 'before');
      await reads(boris, 'before');
      await table.server.kill();
      for (const text of ['first', 'second', 'third']) await write(anna, `${text} while away`);
      await reads(anna, 'third while away', 'waiting');
      await table.server.start();
      // On both pages, and each once: where it was written too, a row must not stand there as sent and as waiting.
      for (const page of [boris, anna]) {
        await reads(page, 'third while away');
        const texts = await page.evaluate(() => [...document.querySelectorAll('article.message .message-text')].map((each) => each.textContent));
        assert.deepEqual(texts, ['before', 'first while away', 'second while away', 'third while away']);
      }
    }));
}

test('a file goes along with a message and comes out as it was', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const boris = await table.person('firefox');
    const room = await table.room([anna, boris]);
    await openChat(table, anna, room);
    await openChat(table, boris, room);
    await anna.evaluate(() => {
      const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251);
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'plan.bin', { type: 'application/x-plan' }));
      const field = document.querySelector('.composer textarea');
      field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }));
    });
    await anna.waitFor('the file to be at the server', () => {
      const send = document.querySelector('.composer [data-action="send"]');
      return document.querySelector('.attachments li') !== null && !send.disabled;
    });
    await write(anna, 'the plan');
    const message = await reads(boris, 'the plan');
    await boris.see(`${row(message)} [data-action="download"]`);
    const sum = await boris.evaluate(async (selector) => {
      const made = URL.createObjectURL;
      const saved = new Promise((resolve) => {
        URL.createObjectURL = (blob) => {
          resolve(blob);
          return made.call(URL, blob);
        };
      });
      document.querySelector(selector).click();
      const bytes = new Uint8Array(await (await saved).arrayBuffer());
      URL.createObjectURL = made;
      return { length: bytes.length, same: bytes.every((byte, index) => byte === (index * 7) % 251) };
    }, `${row(message)} [data-action="download"]`);
    assert.deepEqual(sum, { length: 3_000_000, same: true });
  }));

test('in a call the chat is beside the pictures, and who does not look at it sees that something came', () =>
  during(party(), async (table) => {
    const people = [await table.person('chromium'), await table.person('firefox')];
    const [anna, boris] = people;
    const room = await table.room(people);
    await table.join(people, room);
    await allSeeAndHearAll(people);
    await anna.click('chat');
    await anna.see('.composer textarea[name="message"]');
    await write(anna, 'can you hear me?');
    await boris.waitFor('an unread mark', () => [...document.querySelectorAll('[data-page="call"] [data-unread]')].some((mark) => mark.dataset.unread === '1'));
    await boris.click('chat');
    await reads(boris, 'can you hear me?');
    await inCall(anna);
    await allSeeAndHearAll(people);
  }));

test('a direct conversation is opened by name and found in the list', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const boris = await table.person('firefox');
    await anna.click('new-direct');
    await anna.fill('usernames', boris.username);
    await anna.click('open-direct');
    await anna.see('.composer textarea[name="message"]');
    await write(anna, 'just between us');
    await boris.waitFor('the conversation in the list', (name) => [...document.querySelectorAll('[data-page="rooms"] [data-room]')].some((each) => each.textContent.includes(name) && each.textContent.includes('just between us')), [anna.username]);
  }));

test('a room of which a page has not heard, made in another browser, is opened from where the page is', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium'), await table.person('chromium')];
    const room = await table.room([anna, boris]);
    // As a notice does that is pressed.
    await anna.evaluate((path) => {
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
    }, `/rooms/${room.id}?chat`);
    await anna.see('.composer textarea[name="message"]');
    await openChat(table, boris, room);
    await write(boris, 'there you are');
    await reads(anna, 'there you are');
    await write(anna, 'at last');
    await reads(boris, 'at last');
  }));

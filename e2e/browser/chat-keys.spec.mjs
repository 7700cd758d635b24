// The chat by the keyboard alone: write, go to a message, answer it, react, edit, search and go on from one to the next, and back to the
// field each time; and what the field says where one may not write.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { reads } from './lib/chat.mjs';
import { postBody } from './lib/history.mjs';
import { during, party } from './lib/party.mjs';

const inField = () => document.activeElement?.matches('.composer textarea') ?? false;
const onMessage = (text) => document.activeElement?.matches('article.message') && document.activeElement.textContent.includes(text);

async function openChat(table, page, room) {
  await page.goto(`${table.server.url}/rooms/${room.id}?chat`);
  await page.waitFor('the focus in the field', inField);
}

async function write(page, text) {
  await page.type(text);
  await page.key('Enter');
  await page.waitFor(`"${text}" to be sent`, (wanted) => [...document.querySelectorAll('article.message[data-state="sent"]')].some((each) => each.textContent.includes(wanted)), [text]);
}

test('messages are reached, answered, edited, reacted to and found by keys, and Escape leads back to the field', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const room = await table.room([anna]);
    await openChat(table, anna, room);
    for (const text of ['the Ёлка is here', 'second', 'third елка']) await write(anna, text);

    await anna.key('ArrowUp');
    await anna.waitFor('the last message in the field', () => document.querySelector('.composer textarea').value === 'third елка');
    await anna.key('Escape');
    await anna.waitFor('an empty field with the focus', () => document.activeElement.matches('.composer textarea') && document.activeElement.value === '');

    await anna.key('PageUp');
    await anna.key('ArrowUp');
    await anna.waitFor('the focus on the last message', onMessage, ['third']);
    await anna.key('ArrowUp');
    await anna.waitFor('the focus on the one before', onMessage, ['second']);
    await anna.key('Enter');
    await anna.waitFor('the focus in the menu', () => document.activeElement?.dataset.action === 'message-reply');
    await anna.key('ArrowDown');
    await anna.key('Enter');
    await anna.waitFor('the focus in the picker', () => document.activeElement?.name === 'emoji');
    await anna.key('Enter');
    await anna.see('.reaction[aria-pressed="true"]');
    await anna.waitFor('the focus back on the message', onMessage, ['second']);
    await anna.key('Tab');
    const reaction = await anna.waitFor('the focus on the reaction', () => document.activeElement?.matches('.reaction') && document.activeElement.dataset.emoji);
    // The message is drawn anew around it.
    const second = await reads(anna, 'second');
    await postBody(table.server, anna.token, room, { v: 1, type: 'reaction', to: second, emoji: '🎉', on: true });
    await anna.see('.reaction[data-emoji="🎉"]');
    assert.equal(await anna.evaluate(() => document.activeElement.dataset.emoji), reaction, 'the focus stays on what it was on');
    await anna.key('Escape');
    await anna.waitFor('the focus on the message', onMessage, ['second']);
    await anna.key('Escape');
    await anna.waitFor('the focus in the field', inField);

    await anna.evaluate(() => document.querySelector('[data-action="search"]').focus());
    await anna.key('Enter');
    await anna.type('Е');
    await anna.waitFor('two found', () => document.querySelectorAll('.found').length === 2);
    // What follows at once goes on from what was typed, not from what its first letter found.
    await anna.type('ЛК');
    assert.deepEqual(await anna.evaluate(() => [...document.querySelectorAll('.message-text mark')].map((each) => each.textContent)), ['Ёлка', 'елка']);
    for (const [step, wanted] of [['Enter', 'third'], ['Enter', 'Ёлка'], ['Shift+Enter', 'third']]) {
      await anna.key(step);
      await anna.waitFor(`${wanted} to be shown`, (text) => document.querySelector('article.flash')?.textContent.includes(text) && document.activeElement.name === 'search', [wanted]);
    }
    await anna.key('Escape');
    await anna.waitFor('the focus in the field', inField);
    await anna.seeGone('.message-text mark');
  }));

test('who may not write sees why: muted, locked, slowed down, removed', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const boris = await table.person('chromium', { language: 'ru' });
    const room = await table.room([anna, boris]);
    const { members } = await table.server.request('GET', `rooms/${room.id}`, { token: anna.token });
    const { user } = members.find(({ username }) => username === boris.username);
    const change = (body) => table.server.request('PATCH', `rooms/${room.id}`, { token: anna.token, body });
    const mute = (chat_muted) => table.server.request('PATCH', `rooms/${room.id}/members/${user}`, { token: anna.token, body: { chat_muted } });
    await openChat(table, boris, room);
    for (const [state, on, off] of [['room_locked', () => change({ locked: true }), () => change({ locked: false })], ['chat_muted', () => mute(true), () => mute(false)]]) {
      await on();
      await boris.see(`.writing-note[data-state="${state}"]`);
      assert.equal(await boris.evaluate(() => document.querySelector('.composer textarea').readOnly), true);
      await off();
      await boris.see('.writing-note[data-state="open"]');
    }
    await change({ slow_mode_s: 3600 });
    await boris.waitFor('slow mode', () => document.querySelector('.writing-note:not([hidden])') !== null);
    await boris.waitFor('the focus in the field', inField);
    await write(boris, 'once an hour');
    await boris.see('.writing-note[data-state="slow"]');
    await boris.type('kept for later');
    await boris.key('Enter');
    assert.equal(await boris.evaluate(() => document.querySelector('.composer textarea').value), 'kept for later');
    await table.server.request('DELETE', `rooms/${room.id}/members/${user}`, { token: anna.token });
    await boris.see('.writing-note[data-state="no_member"]');
  }));

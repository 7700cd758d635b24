// Order in a room, by those who keep it, as the others see it: name and topic, who may write and how often, who may be there, whose it is,
// and what of it the owner can read afterwards. Three people, three browsers' windows, both languages, one of them on a phone.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { agree, choose, NARROW, openChat, reads, row, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const DIALOG = 'dialog[open]';

async function openDetails(page) {
  await page.pressNamed('button', words(page, 'rooms.details'));
  await page.see(`${DIALOG} .member`);
}

async function closeDialog(page) {
  await page.key('Escape');
  await page.seeGone(DIALOG);
}

/** Opens what can be done with a member, in the room's details, and chooses, by the key of its text. */
async function actOn(page, member, key) {
  await page.pressNamed('button', `${words(page, 'order.more')}: ${member.username}`, DIALOG);
  await page.pressNamed('menuitem', words(page, key), DIALOG);
}

/** Tries to write and is told why that does not go, by any of these texts. */
async function isRefused(page, text, keys) {
  await page.press('.composer textarea');
  await page.type(text);
  await page.key('Enter');
  const reasons = keys.map((key) => words(page, key));
  await page.waitFor(`one of ${reasons.join(' / ')}`, (wanted) => wanted.some((each) => document.querySelector('.chat-body').innerText.includes(each)), [reasons]);
}

/** Nothing of these texts has come to a page that has read what was written after them. */
async function neverCame(page, texts) {
  const shown = await page.evaluate(() => document.querySelector('.messages').innerText);
  assert.deepEqual(texts.filter((text) => shown.includes(text)), []);
}

async function three(table) {
  const anna = await table.person('chromium', { language: 'en' });
  const boris = await table.person('firefox', { language: 'ru', ...NARROW });
  const clara = await table.person('chromium', { language: 'ru' });
  const room = await table.room([anna, boris, clara]);
  for (const page of [anna, boris, clara]) await openChat(table, page, room);
  return { anna, boris, clara, room };
}

test('a room is renamed, gets a topic, is locked, slowed and calmed, and everybody sees it (chromium, firefox)', () =>
  during(party(), async (table) => {
    const { anna, boris, clara, room } = await three(table);
    await openDetails(anna);
    await anna.fill('name', 'Лодочный клуб');
    await anna.pressNamed('button', words(anna, 'rooms.rename'), DIALOG);
    await anna.see('.toast');
    await anna.fill('topic', 'oars and weather');
    await anna.pressNamed('button', words(anna, 'order.save'), DIALOG);
    await boris.waitFor('the topic', () => document.querySelector('.room-facts')?.textContent.includes('oars and weather'));
    await clara.goto(`${table.server.url}/`);
    await clara.see(`[data-room="${room.id}"][data-room-name="Лодочный клуб"]`);
    await openChat(table, clara, room);

    await anna.pressNamed('button', `${words(anna, 'rooms.make_moderator')}: ${boris.username}`, DIALOG);
    await anna.see(`${DIALOG} [data-username="${boris.username}"] [data-action="set-role"]`);
    await anna.pressNamed('checkbox', words(anna, 'order.lock'), DIALOG);
    await anna.waitFor('the room to be locked', () => document.querySelector('[name="locked"]')?.checked);
    await closeDialog(anna);
    await isRefused(clara, 'while it is locked', ['error.room_locked', 'order.locked_now']);
    await write(boris, 'a moderator writes on');
    await reads(clara, 'a moderator writes on');

    await openDetails(boris);
    await boris.fill('topic', 'half a thought');
    await boris.pressNamed('checkbox', words(boris, 'order.lock'), DIALOG);
    await boris.waitFor('the room to be open', () => document.querySelector('[name="locked"]')?.checked === false);
    await actOn(boris, clara, 'order.mute');
    await boris.waitFor('the mark of who is muted', (name, text) => document.querySelector(`[data-username="${name}"]`)?.textContent.includes(text), [clara.username, words(boris, 'order.muted')]);
    assert.equal(await boris.evaluate(() => document.querySelector('[name="topic"]').value), 'half a thought', 'what is typed stays beside what is changed');
    await isRefused(clara, 'while she is muted', ['error.chat_muted', 'order.muted_now']);
    await actOn(boris, clara, 'order.unmute');
    await boris.choose('slow_mode_s', '5');
    await boris.waitFor('slow mode to be set', () => document.querySelector('[name="slow_mode_s"]')?.value === '5');
    await closeDialog(boris);

    await openChat(table, clara, room);
    await clara.press('.composer textarea');
    await clara.type('slowly, one');
    await clara.key('Enter');
    await reads(boris, 'slowly, one');
    await clara.type('slowly, two');
    const second = await anna.until('the second message, however often she presses', async () => {
      await clara.key('Enter');
      return anna.evaluate(() => [...document.querySelectorAll('article.message')].find((each) => each.querySelector('.message-text')?.textContent.includes('slowly, two'))?.dataset.message);
    });
    const { entries } = await table.server.request('GET', `rooms/${room.id}/messages`, { token: anna.token });
    const times = entries.filter(({ sender, kind }) => kind === 'message' && sender === entries.find(({ id }) => id === second).sender).map(({ sent_at }) => sent_at);
    assert.ok(times.at(-1) - times.at(-2) >= 5_000, `two messages ${times.at(-1) - times.at(-2)} ms apart`);
    await neverCame(anna, ['while it is locked', 'while she is muted']);

    await choose(boris, second, 'chat.delete');
    await agree(boris, 'chat.delete');
    for (const page of [anna, clara]) await page.see(`${row(second)} .message-gone`);
  }));

/** Follows an invitation and accepts it. */
async function joins(table, page, room) {
  await page.goto(`${table.server.url}/join/${room.link_code}`);
  await page.pressNamed('button', words(page, 'join.action'));
}

test('somebody is removed, banned, let in again; the room is handed over, left and deleted, and its owner reads what was done (chromium, firefox)', () =>
  during(party(), async (table) => {
    const { anna, boris, clara, room } = await three(table);
    await openDetails(anna);
    await actOn(anna, clara, 'rooms.remove_member');
    await anna.click('confirm', 'dialog:last-of-type');
    await anna.seeGone(`${DIALOG} [data-username="${clara.username}"]`);
    await clara.goto(`${table.server.url}/`);
    await clara.see('[data-page="rooms"] .empty');
    await joins(table, clara, room);
    await clara.see('[data-page="prejoin"]');

    await closeDialog(anna);
    await openDetails(anna);
    await actOn(anna, clara, 'order.ban');
    await anna.click('confirm', 'dialog:last-of-type');
    await anna.see(`${DIALOG} [data-banned="${clara.username}"]`);
    await joins(table, clara, room);
    await clara.waitFor('to be told of the ban', (text) => document.body.innerText.includes(text), [words(clara, 'error.banned')]);
    await anna.pressNamed('button', `${words(anna, 'order.unban')}: ${clara.username}`, DIALOG);
    await anna.seeGone(`${DIALOG} [data-banned]`);
    await joins(table, clara, room);
    await clara.see('[data-page="prejoin"]');

    await actOn(anna, boris, 'order.hand_over');
    await anna.click('confirm', 'dialog:last-of-type');
    await anna.seeGone(`${DIALOG} [data-action="audit"]`);
    await closeDialog(anna);
    await openChat(table, boris, room);
    await openDetails(boris);
    await boris.pressNamed('button', words(boris, 'audit.title'), DIALOG);
    await boris.see('.acts .act[data-act="remove"]');
    const acts = await boris.evaluate(() => [...document.querySelectorAll('.acts .act')].map((each) => [each.dataset.act, each.firstElementChild.textContent]));
    const names = { actor: anna.username, subject: clara.username };
    assert.deepEqual(acts, [
      ['hand_over', words(boris, 'audit.hand_over', { ...names, subject: boris.username })],
      ['unban', words(boris, 'audit.unban', names)],
      ['ban', words(boris, 'audit.ban', names)],
      ['remove', words(boris, 'audit.remove', names)],
    ]);

    await anna.goto(`${table.server.url}/`);
    await anna.pressNamed('button', `${words(anna, 'rooms.leave')}: ${room.name}`);
    await agree(anna, 'rooms.leave');
    await anna.see('[data-page="rooms"] .empty');
    await boris.goto(`${table.server.url}/`);
    await boris.pressNamed('button', `${words(boris, 'rooms.delete')}: ${room.name}`);
    await agree(boris, 'rooms.delete');
    for (const page of [boris, clara]) {
      await page.goto(`${table.server.url}/`);
      await page.see('[data-page="rooms"] .empty');
    }
  }));

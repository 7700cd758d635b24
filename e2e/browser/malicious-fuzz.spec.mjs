// Whatever a server says, by whichever of its messages, an encrypted call and an encrypted conversation stay so: two people call and write in rounds,
// in each of which a proxy tells them other lies by chance (`lib/liar.mjs`). Calls may end and pages may say that something is wrong. A tap in the call
// keeps all that the server forwards, and itself sends what is not sealed; all that browsers say to the server is searched for what was written.
//
// `WEBCALL_SEED` makes others than in every run, `WEBCALL_ROUNDS` more of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { canary, placesOf } from '../lib/canaries.mjs';
import { looksOutFor, noted, notes, sees } from './lib/eyes.mjs';
import { everyName, Liar } from './lib/liar.mjs';
import { during, PASSWORD, party } from './lib/party.mjs';
import { proxyOf } from './lib/proxy.mjs';
import { sealedPart, Tap } from './lib/tap.mjs';

const SEED = process.env.WEBCALL_SEED ?? 'of every run';
const ROUNDS = Number(process.env.WEBCALL_ROUNDS ?? 5);
/** Where lies ended most rounds before anything was said in them, further ones follow: at most so many. */
const MORE_ROUNDS = 30;
/** A round of lies: long enough to come back into a call, and to send in it. */
const ROUND_MS = 2_500;
const PRESS_MS = 250;
/** Until a client that is taken in by a lie has acted upon it, at the most. */
const BELIEVING_MS = 45_000;
/** Of messages, so many have a lie in them: few lies lead far into a call. */
const RATES = [0.04, 0.12, 0.4];

const only = (place, change) => (message, of) => (of === place ? change(message) : message);
const isOpen = everyName('encryption', () => 'open');
/** What LiveKit believed: that nothing is encrypted, said in every way and by every message, or by some of them alone. */
const PLANS = [
  ['all is open', { rate: 0, always: isOpen }],
  ['the encryption is none', { rate: 0, always: everyName('encryption', () => 'none') }],
  ['all is open to who comes anew', { rate: 0, always: isOpen }],
  ['the encryption is null', { rate: 0, always: everyName('encryption', () => null) }],
  ['there is no encryption', { rate: 0, always: everyName('encryption', () => undefined) }],
  ['only the rooms are open', { rate: 0, always: only('answer', isOpen) }],
  ['only the call is open', { rate: 0, always: only('frame', isOpen) }],
  ['the call has no group', { rate: 0, always: everyName('group', () => null) }],
  ['nothing is strict', { rate: 0, always: everyName('strict', () => false) }],
  ['all is open, and more', { rate: 0.1, always: isOpen }],
];

/** The lie that a client would have to believe to be taken in by it: a page that is loaded while it is told (`AGAIN`). */
const BELIEVED = 2;

const planOf = (round) => PLANS[round] ?? [`lies in ${RATES[round % RATES.length]} of all`, { rate: RATES[round % RATES.length] }];

/** Somebody to whom the server lies when it likes. `file`: changes the client that they are given. */
async function deceived(table, liar, file) {
  const proxy = await proxyOf(table.server, { file });
  table.atEnd(() => proxy.close());
  const page = await table.person('chromium', { site: proxy.url });
  proxy.change = { file, ...liar.changeFor(page.label) };
  return Object.assign(page, { proxy });
}

/** Presses what leads into the call, wherever in the room's page somebody is. */
function insists(page) {
  return page.evaluate(() => ['join-call', 'rejoin'].forEach((action) => document.querySelector(`[data-action="${action}"]`)?.click())).catch(() => {});
}

/** Writes into the conversation, if there is a field for it. */
function tellsTheRoom(page, text) {
  return page.evaluate((written) => {
    const field = document.querySelector('textarea[name="message"]');
    if (!field || field.readOnly) return false;
    field.value = written;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.closest('form').requestSubmit();
    return true;
  }, text).catch(() => false);
}

/** How many senders of this page would send as the browser encodes it. */
function unsealedSenders(page) {
  return page.evaluate(() => {
    const alive = (window.webcallTest.connections ?? []).filter(({ connectionState }) => connectionState !== 'closed');
    return alive.flatMap((connection) => connection.getSenders()).filter(({ track, transform }) => track !== null && transform === null).length;
  }).catch(() => 0);
}

/** What was found of what must not be, in a call with a tap. */
async function findings(pages, tap) {
  const frames = await tap.takeFrames();
  return {
    frames: frames.length,
    clear: frames.filter((frame) => sealedPart(frame) === null).length,
    unsealed: (await Promise.all(pages.map(unsealedSenders))).reduce((sum, count) => sum + count, 0),
    noted: (await Promise.all(pages.map((page) => noted(page).catch(() => [])))).flat(),
  };
}

/** Back to where a round can begin: the server tells the truth for as long as that takes. */
async function recovers(table, page, room) {
  const isThere = await page.evaluate(() => document.querySelector('[data-page]')?.dataset.page ?? '').catch(() => '');
  if (['call', 'prejoin', 'ended'].includes(isThere)) return;
  await table.open(page, `/rooms/${room.id}`);
  await page.see('[data-page="prejoin"], [data-page="login"], [data-page="room-missing"]');
  if (await page.evaluate(() => document.querySelector('[data-page="login"]') !== null)) await table.signIn(page, page.username);
  await table.prejoin(page, room);
}

/** Three ways by which everything is said anew. */
const AGAIN = [
  (_table, page) => page.proxy.cut(),
  (_table, page) => page.evaluate(() => document.querySelector('[data-action="leave"]')?.click()),
  (table, page, room) => table.open(page, `/rooms/${room.id}`),
];

async function lives(table, page, room, tap, again, text) {
  await again(table, page, room);
  await looksOutFor(page, [tap.page]).catch(() => {});
  const end_ms = Date.now() + ROUND_MS;
  for (let isSaid = false; Date.now() < end_ms; ) {
    await insists(page);
    if (Date.now() > end_ms - ROUND_MS / 2) isSaid ||= await tellsTheRoom(page, text);
    await new Promise((resolve) => setTimeout(resolve, PRESS_MS));
  }
}

/** A call of people to whom the server tells the truth yet, with a tap. */
async function calling(table, pages, room, tap) {
  await table.join(pages, room);
  await tap.join(room, { dump: true, sends: true });
  for (const page of pages) {
    for (const other of pages) if (other !== page) await sees(page, other);
    await looksOutFor(page, [tap.page]);
  }
}

/** One round of lies, in which each writes something. @returns what was found of the call, and what was written */
async function lied(table, { pages, room, tap, liar }, round) {
  const [name, plan] = planOf(round);
  liar.tellTheTruth();
  for (const page of pages) await recovers(table, page, room);
  await tap.takeFrames();
  liar.begin(String(round), plan);
  const said = Object.fromEntries(pages.map(({ label }) => [`of ${label} in round ${round}, ${name}`, canary(label)]));
  await Promise.all(pages.map((page, at) => lives(table, page, room, tap, AGAIN[round % AGAIN.length], Object.values(said)[at])));
  return { said, name, ...(await findings(pages, tap)) };
}

/** All that these people said to the server. */
const saidBy = (pages) => pages.flatMap(({ proxy }) => proxy.said);

test('t8 no combination of what a server says has a page send or show anything that is not sealed; in an open room all of it is found', () =>
  during(party(), async (table) => {
    const liar = new Liar(SEED);
    const pages = [await deceived(table, liar), await deceived(table, liar)];
    const [anna, boris] = pages;
    const [open, room] = [await table.room(pages), await table.room(pages, { encryption: 'mls' })];
    const tap = await Tap.of(table, [open, room]);
    const said = { 'in the open room': canary('open') };
    await calling(table, pages, open, tap);
    for (const page of pages) await notes(page, [`picture of ${tap.page.label} as ${tap.page.label}`, `voice of ${tap.page.label} as ${tap.page.label}`]);
    await anna.until('it to be written', () => tellsTheRoom(anna, said['in the open room']));
    await boris.waitFor('it to be read', (text) => document.body.textContent.includes(text), [said['in the open room']]);
    const found = await findings(pages, tap);
    // Sound in the clear may begin as what is sealed does: the first byte 0x78 of an Opus packet (RFC 6716 §3.1) is also the header of KID 7 (RFC 9605 §4.3).
    assert.ok(found.clear > found.frames / 2 && found.unsealed === 2 * pages.length && found.noted.length === 2 * pages.length, `of an open call everything is found: ${JSON.stringify(found)}`);
    for (const page of pages) await page.click('leave');

    await calling(table, pages, room, tap);
    const planned = PLANS.length + ROUNDS;
    const posted = () => saidBy(pages).filter(({ place }) => place === `POST /api/v1/rooms/${room.id}/messages`).length;
    const isEnough = () => rounds > PLANS.length / 2 && posted() > PLANS.length / 2;
    let [frames, rounds, round] = [0, 0, 0];
    for (; round < planned || (!isEnough() && round < planned + MORE_ROUNDS); round += 1) {
      const { said: words, name, frames: sealed, ...bad } = await lied(table, { pages, room, tap, liar }, round);
      assert.deepEqual(bad, { clear: 0, unsealed: 0, noted: [] }, `seed ${SEED}, round ${round}, ${name}:\n${liar.told.join('\n')}`);
      Object.assign(said, words);
      frames += sealed;
      if (sealed > 0) rounds += 1;
    }
    const { 'in the open room': places, ...sealed } = placesOf(saidBy(pages), said);
    console.log(`seed ${SEED}: ${liar.lies} lies by chance; ${frames} sealed frames in ${rounds} of ${round} rounds, ${posted()} sealed messages; ${pages.flatMap(({ errors }) => errors).length} times a page did not know what to make of it`);
    assert.ok(places.length > 0, 'what was written in the open room is found');
    assert.deepEqual(Object.values(sealed).flat(), [], `seed ${SEED}: ${JSON.stringify(sealed)}`);
    assert.ok(pages.every(({ proxy }) => proxy.hasAll), 'nothing that was said was left out of the search');
    assert.ok(isEnough(), 'enough was sent for that to mean something');
    // A server that speaks nonsense may leave a page at a loss.
    liar.tellTheTruth();
    for (const page of pages) {
      await page.goto(`${table.server.url}/healthz`);
      page.errors.length = 0;
    }
  }));

test('t8 a client that believed what a server says of a room is found by the same', () =>
  during(party(), async (table) => {
    const liar = new Liar(SEED);
    const believing = (path, text) => {
      if (path.endsWith('/state/encrypted-once.js')) return text.replace('seen(room) {', '$& return room;');
      return path.endsWith('/state/chat/account.js') ? text.replace('#asItWas(room) {', '$& return room;') : text;
    };
    const pages = [await deceived(table, liar, believing), await deceived(table, liar, believing)];
    const room = await table.room(pages, { encryption: 'mls' });
    const tap = await Tap.of(table, [room]);
    await calling(table, pages, room, tap);
    const { said, ...found } = await lied(table, { pages, room, tap, liar }, BELIEVED);
    const isSaid = () => Object.values(placesOf(saidBy(pages), said)).flat().length > 0;
    // As long as a slow machine needs: what would be a fault comes, and one look at it is enough.
    for (const end_ms = Date.now() + BELIEVING_MS; !(found.clear > 0 && found.unsealed > 0 && isSaid()) && Date.now() < end_ms; ) {
      for (const [at, page] of pages.entries()) {
        await insists(page);
        await tellsTheRoom(page, Object.values(said)[at]);
      }
      await new Promise((resolve) => setTimeout(resolve, PRESS_MS));
      const more = await findings(pages, tap);
      for (const name of ['clear', 'unsealed']) found[name] += more[name];
    }
    assert.ok(found.clear > 0 && found.unsealed > 0, JSON.stringify(found));
    assert.ok(isSaid());
  }));

/** What a client that looks at no room's id is given. */
const blind = (path, text) => (path.endsWith('/state/encrypted-once.js') ? text.replace("room[VERSION_AT] === '8'", 'false') : text);

/**
 * Another device of a person, that never saw any room, nor a link of one: the server says to it that all rooms are open.
 * @returns how each room is shown there, and where what is written in it went
 */
async function onAnotherDevice(table, person, rooms, file) {
  const proxy = await proxyOf(table.server, { file, frame: (frame) => [isOpen(frame)], answer: ({ body }) => ({ body: isOpen(body) }) });
  table.atEnd(() => proxy.close());
  const page = await table.stranger('chromium', { site: proxy.url });
  page.username = person.username;
  await table.signIn(page, person.username);
  const found = {};
  for (const [name, room] of Object.entries(rooms)) {
    const text = canary(name);
    await table.open(page, `/rooms/${room.id}?chat`);
    await page.see('[data-action="encryption"]');
    const shown = await page.evaluate(() => document.querySelector('[data-action="encryption"]').dataset.encryption);
    const end_ms = Date.now() + ROUND_MS;
    for (let isSaid = false; Date.now() < end_ms; await new Promise((resolve) => setTimeout(resolve, PRESS_MS))) isSaid ||= await tellsTheRoom(page, text);
    found[name] = { shown, isThere: placesOf(proxy.said, { text }).text.length > 0 };
  }
  await page.close();
  return found;
}

test('t8 on a device that never saw the room a server says in vain that it is open; a client that looks at no id is taken in by it', () =>
  during(party(), async (table) => {
    const anna = await table.person('chromium');
    const rooms = { open: await table.room([anna]), encrypted: await table.room([anna], { encryption: 'mls' }) };
    const open = { shown: 'open', isThere: true };
    assert.deepEqual(await onAnotherDevice(table, anna, rooms), { open, encrypted: { shown: 'waiting', isThere: false } });
    assert.deepEqual(await onAnotherDevice(table, anna, rooms, blind), { open, encrypted: open });
  }));

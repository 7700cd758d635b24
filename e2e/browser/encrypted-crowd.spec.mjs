// An encrypted call of many who come and go at once. When the last has come, everybody hears everybody who is there, and nobody else; how long
// after the last change of the keys that was is printed.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hears } from './lib/eyes.mjs';
import { during, inCall, ownParticipant, party } from './lib/party.mjs';

const PEOPLE = 10;
/** Of those, who leave again, and who of them come back. */
const LEAVING = 3;
const RETURNING = 2;
/** All of it is asked for within this time, by the pages' own clocks: however busy the machine is, nobody waits for another. */
const WITHIN_MS = 5_000;
/** One after the other so far apart; those who leave came first, and go when the last has come. */
const APART_MS = 200;
/**
 * Of sound that each of them makes, in frames of this length: of fifty a second, as browsers make them by themselves, five pages are as many as two
 * slow processors have time for. The browsers would keep each other from the keys, and nothing would be measured but that.
 */
const FRAME_MS = 120;
/** Ten pages on a small machine in a slow hour, or one that builds something else. */
const BOUND_MS = 240_000;

/** In the page: whether the service worker has looked at the client's code (`web/sw.js`). */
async function hasLooked() {
  if (!(await indexedDB.databases()).some(({ name }) => name === 'webcall-client')) return false;
  const result = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
  const database = await result(indexedDB.open('webcall-client'));
  const count = await result(database.transaction('known').objectStore('known').count());
  database.close();
  return count > 0;
}

/** In the page: presses these buttons, each at its time or as soon after it as there is one. */
function presses(acts) {
  const pressed = [];
  window.webcallPressed = pressed;
  const next = () => {
    const [act] = acts;
    if (!act) return;
    const button = Date.now() >= act.at_ms && document.querySelector(`[data-action="${act.name}"]:not(:disabled)`);
    if (button) {
      button.click();
      pressed.push({ name: act.name, at_ms: Date.now(), hasKeys: Object.keys(window.webcallTest.heard.epochs).length > 0 });
      acts.shift();
    }
    setTimeout(next, 20);
  };
  next();
}

/** Waits until this page hears these participants, each without a gap up to now. @returns what it has listened to */
function listens(page, participants) {
  return page.waitFor(
    `${participants.length} voices`,
    (wanted) => {
      const { heard } = window.webcallTest;
      const isHeard = (owner) => heard.voices[owner] !== undefined && Date.now() - heard.voices[owner].until_ms < 500;
      return wanted.every(isHeard) && heard;
    },
    [participants],
    BOUND_MS,
  );
}

test(`t18 ${PEOPLE} with sound only come, go and come back within seconds, and all who are there hear one another`, () =>
  during(party(), async (table) => {
    const people = [];
    while (people.length < PEOPLE) people.push(await table.person('chromium', { media: { frame_ms: FRAME_MS } }));
    const room = await table.room(people, { encryption: 'mls' });
    // Everybody's device is in the group of the room, and everybody before the door.
    for (const page of people) {
      await table.prejoin(page, room);
      await page.click('toggle-camera');
      await page.see('[data-action="toggle-camera"][data-state="off"]');
      await page.evaluate(() => window.webcallTest.listen());
    }
    // Fresh browsers read the whole client after a while: that of ten, on a small machine, is not to fall into the seconds that count.
    await Promise.all(people.map((page) => page.waitFor('a look at the code', hasLooked, [], BOUND_MS)));
    const [first, ...others] = people;
    await first.click('join-call');
    await inCall(first);
    const leaving = others.slice(0, LEAVING);
    const returning = leaving.slice(0, RETURNING);
    // Soon, so that every page has heard of it.
    const begin_ms = Date.now() + 500;
    const acts = new Map(others.map((page, index) => [page, [{ name: 'join-call', at_ms: begin_ms + index * APART_MS }]]));
    for (const [index, page] of leaving.entries()) acts.get(page).push({ name: 'leave', at_ms: begin_ms + (others.length + index) * APART_MS });
    for (const page of returning) acts.get(page).push(...['rejoin', 'join-call'].map((name) => ({ name, at_ms: begin_ms + WITHIN_MS * 0.8 })));
    await Promise.all(others.map((page) => page.evaluate(presses, acts.get(page))));
    const pressed = await Promise.all(others.map((page) => page.waitFor('all that is asked for', (count) => window.webcallPressed.length === count && window.webcallPressed, [acts.get(page).length], BOUND_MS)));
    const asked_ms = Math.max(...pressed.flat().map(({ at_ms }) => at_ms)) - begin_ms;
    const left = pressed.flat().filter(({ name, hasKeys }) => name === 'leave' && hasKeys).length;
    const inside = people.filter((page) => !leaving.includes(page) || returning.includes(page));
    await Promise.all(inside.map((page) => inCall(page, BOUND_MS)));
    const participants = await Promise.all(inside.map(ownParticipant));
    const heard = await Promise.all(inside.map((page, index) => listens(page, participants.filter((_, other) => other !== index))));
    // By the ear, too: the next one's tone, and no other's in its place.
    await Promise.all(inside.map((page, index) => hears(page, inside[(index + 1) % inside.length])));
    const epochs = heard.map(({ epochs: all }) => Math.max(...Object.keys(all).map(Number)));
    const last = Math.max(...epochs);
    const changed_ms = Math.min(...heard.map(({ epochs: all }) => all[last] ?? Infinity));
    const late_ms = heard.map(({ voices }) => Math.max(...Object.values(voices).map(({ since_ms }) => since_ms - changed_ms)));
    console.log(`${inside.length} of ${PEOPLE} in the call, all asked within ${asked_ms} ms (wanted: ${WITHIN_MS}), ${left} of ${LEAVING} left with keys, epoch ${last}; the last pair hears each other ${Math.max(0, ...late_ms)} ms after the last commit`);
    assert.equal(inside.length, PEOPLE - LEAVING + RETURNING);
    for (const page of inside) {
      const { tracks, past } = await page.evaluate(() => window.webcallTest.shield());
      for (const { counters } of [...tracks, { counters: past }]) for (const name of ['auth_failed', 'malformed', 'clear_refused', 'failed']) assert.equal(counters[name], 0, `${page.label}: ${name}`);
      await page.see('.call-header [data-encryption="closed"]');
    }
  }));

// A push wakes the service worker of a browser: it shows what another person wrote, opened with keys that no page ever sees, and for everything else
// only that there is a message. Pushes come by the browser's own protocol, as a push service would bring them; Firefox has none for it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openChat, reads, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';

const SAID = 'the boat leaves at seven';

const bytesOf = (uuid) => Buffer.from(uuid.replaceAll('-', ''), 'hex');
const pushed = (room, envelope = Buffer.alloc(0)) => Buffer.concat([Buffer.from([1]), bytesOf(room), envelope]).toString('base64url');

/**
 * Brings pushes to the service worker of a page, and says what is shown then. The browser itself says when a notice is there: Chromium forgets one whose
 * page asks for all notices while it is being shown (21 of 500).
 */
async function pushesTo(page, origin) {
  const devtools = await page.devtools();
  let registration = null;
  devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
    registration = registrations.find(({ scopeURL, isDeleted }) => scopeURL === `${origin}/` && !isDeleted)?.registrationId ?? registration;
  });
  let shown = 0;
  devtools.on('BackgroundService.backgroundServiceEventReceived', ({ backgroundServiceEvent }) => void (shown += Number(backgroundServiceEvent.eventName === 'Notification displayed')));
  await devtools.send('BackgroundService.startObserving', { service: 'notifications' });
  await devtools.send('BackgroundService.setRecording', { shouldRecord: true, service: 'notifications' });
  await devtools.send('ServiceWorker.enable');
  await page.waitFor('the service worker', () => navigator.serviceWorker.ready.then(({ active }) => active?.state === 'activated'));
  await page.until('its registration', async () => registration);
  return async (data) => {
    const before = shown;
    await devtools.send('ServiceWorker.deliverPushMessage', { origin, registrationId: registration, data });
    await page.until('a notice', async () => shown > before);
    return page.evaluate(newest);
  };
}

/** Runs in the page: the notice that was shown last. */
async function newest() {
  const all = await (await navigator.serviceWorker.ready).getNotifications();
  const { title, body, data } = all.reduce((last, notice) => (notice.timestamp > last.timestamp ? notice : last));
  return { title, body, room: data.room };
}

/** Runs in the page: of which epoch the key is that is kept for a room; null: none is. */
async function keptEpoch(room) {
  if (!(await indexedDB.databases()).some(({ name }) => name === 'webcall-notices')) return null;
  const request = indexedDB.open('webcall-notices');
  await new Promise((resolve) => (request.onsuccess = resolve));
  if (!request.result.objectStoreNames.contains('rooms')) return request.result.close();
  const found = request.result.transaction('rooms').objectStore('rooms').get(room);
  await new Promise((resolve) => (found.onsuccess = resolve));
  request.result.close();
  return found.result?.epoch ?? null;
}

test('a push shows what another person sealed, with the name of who wrote it, and for anything else only that there is a message (chromium)', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'ru' }), await table.person('chromium', { language: 'en' })];
    const room = await table.room([anna, boris], { name: 'Boats', encryption: 'mls' });
    await openChat(table, anna, room);
    await openChat(table, boris, room);
    await write(boris, SAID);
    await reads(anna, SAID);
    const { entries } = await table.server.request('GET', `rooms/${room.id}/messages`, { token: anna.token });
    const envelope = Buffer.from(entries.findLast(({ kind }) => kind === 'message').body, 'base64url');
    const epoch = Number(envelope.readBigUInt64BE(18));
    await anna.until('the keys for notices', async () => (await anna.evaluate(keptEpoch, room.id)) === epoch);
    const push = await pushesTo(anna, table.server.url);

    assert.deepEqual(await push(pushed(room.id, envelope)), { title: 'Boats', body: `${boris.username}: ${SAID}`, room: room.id });
    const nothing = { title: 'WebCall', body: 'Новое сообщение' };
    assert.deepEqual(await push(pushed(room.id)), { ...nothing, room: room.id }, 'nothing to open');
    for (const at of [30, 70, 98, envelope.length - 1]) {
      const flipped = Buffer.from(envelope.map((byte, index) => (index === at ? byte ^ 1 : byte)));
      assert.deepEqual(await push(pushed(room.id, flipped)), { ...nothing, room: room.id }, `byte ${at}`);
    }
    const other = '00000000-0000-4000-8000-000000000001';
    assert.deepEqual(await push(pushed(other, envelope)), { ...nothing, room: other }, 'another room');
    assert.deepEqual(await push('not a push of ours'), { ...nothing, room: null });
    assert.deepEqual(anna.console.filter((line) => /Content Security|Trusted/i.test(line)), [], 'nothing is against the policy');
  }));

test('after log-out a push says no more than that there is a message (chromium)', () =>
  during(party(), async (table) => {
    const [anna, boris] = [await table.person('chromium', { language: 'en' }), await table.person('chromium', { language: 'en' })];
    const room = await table.room([anna, boris], { encryption: 'mls' });
    await openChat(table, anna, room);
    await openChat(table, boris, room);
    await write(boris, SAID);
    await reads(anna, SAID);
    await anna.until('the keys for notices', () => anna.evaluate(keptEpoch, room.id));
    const { entries } = await table.server.request('GET', `rooms/${room.id}/messages`, { token: anna.token });
    const envelope = Buffer.from(entries.findLast(({ kind }) => kind === 'message').body, 'base64url');
    const push = await pushesTo(anna, table.server.url);
    await anna.goto(`${table.server.url}/settings`);
    await anna.click('sign-out');
    await anna.waitFor('the keys to go', async () => !(await indexedDB.databases()).some(({ name }) => name === 'webcall-notices'));
    assert.deepEqual(await push(pushed(room.id, envelope)), { title: 'WebCall', body: 'New message', room: room.id });
  }));

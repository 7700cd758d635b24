/**
 * The service worker: shows notices of new messages where no page is open. It opens what is sealed with keys that it cannot take out, and says
 * only that there is a message where it cannot. And it looks from time to time what code the server gives out as this client, and remembers it. Touches
 * no request and keeps no file: what the page loads comes from the server, as without it.
 *
 * The server gives it at `/sw.js`, as one line that imports this file from the tree of the client's files (`src/http/assets.rs`).
 */

import { known, remember } from './e2ee/client/kept.js';
import { look } from './e2ee/client/look.js';
import { NoticeKeep } from './e2ee/push/kept.js';
import { openNotice } from './e2ee/push/open.js';
import { parsePayload } from './e2ee/push/payload.js';
import { pickLanguage, setLanguage } from './i18n/index.js';
import { anyNotice, noticeOf } from './views/notice-text.js';

/** Of this tree: it is there as long as this worker is the newest. */
const ICON = new URL('./icon.svg', import.meta.url).href;

/** All files are read and hashed for a look: some hundred milliseconds, in the background. */
const LOOK_EVERY_MS = 3_600_000;

const worker = /** @type {import('./e2ee/push/scope.js').ServiceWorkerScope} */ (/** @type {unknown} */ (globalThis));

worker.addEventListener('install', () => void worker.skipWaiting());
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener('push', (event) => event.waitUntil(show(event.data?.text() ?? '')));
worker.addEventListener('message', (event) => {
  if (event.data?.type === 'look') event.waitUntil(lookAgain(event.data.isWanted === true));
});
worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.room ?? null));
});

/** Every push shows something: browsers take the permission away from those who hide one. @param {string} pushed */
async function show(pushed) {
  const payload = parsePayload(pushed);
  const { title, body } = await textOf(payload);
  const room = payload?.room ?? null;
  await worker.registration.showNotification(title, { body, icon: ICON, tag: room ?? 'message', renotify: true, data: { room } });
}

/** @param {import('./e2ee/push/interface.js').Payload | null} payload */
async function textOf(payload) {
  const keep = await NoticeKeep.open(indexedDB).catch(() => null);
  try {
    const kept = await keep?.language();
    setLanguage(pickLanguage(kept === 'en' || kept === 'ru' ? kept : null, navigator.languages));
    const opened = payload && keep && (await openNotice(payload, keep));
    return opened ? noticeOf(opened) : anyNotice();
  } catch {
    return anyNotice();
  } finally {
    keep?.close();
  }
}

/** A window that is there is shown the room, else a new one. @param {string | null} room */
async function open(room) {
  const path = room === null ? '/' : `/rooms/${room}?chat`;
  const [page] = await worker.clients.matchAll({ type: 'window' });
  if (!page) return void (await worker.clients.openWindow(path));
  await page.focus();
  page.postMessage({ type: 'open', path });
}

/** @param {boolean} isWanted by the person, now */
async function lookAgain(isWanted) {
  const before = await known(indexedDB);
  if (!isWanted && before !== null && Date.now() - before.lookedAt < LOOK_EVERY_MS) return;
  const seen = await look((path, cache) => fetch(path, { cache, credentials: 'same-origin' }));
  if (seen === null) return;
  const news = await remember(indexedDB, seen, Date.now());
  for (const page of await worker.clients.matchAll({ type: 'window' })) page.postMessage({ type: 'looked', news });
}

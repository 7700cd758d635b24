// Figures of scrolling through a long conversation in Chromium: node scroll.mjs [MESSAGES [FRAMES]]. Nothing is asserted.
//
// The messages are put into the page's local copy, as months of use would have, and the server's word about the room is made to fit. Then
// the list is scrolled by one page a frame, up and down, and the browser's own trace says how much processor time of the main thread each
// frame took for script, style and layout. Processor time, not time on the clock: other programs on the machine change it little.

import { chromium } from 'playwright-core';

import { CHROMIUM } from './lib/chromium.mjs';
import { PASSWORD } from './lib/party.mjs';
import { startServer } from './lib/server.mjs';

const MESSAGES = Number(process.argv[2] ?? 100_000);
const FRAMES = Number(process.argv[3] ?? 600);
const SIZE = { width: 1200, height: 800 };
/** What a frame spends on what the page does, as the trace names it; nested ones count once. */
const WORK = new Set(['EventDispatch', 'FireAnimationFrame', 'FunctionCall', 'RunMicrotasks', 'TimerFire', 'UpdateLayoutTree', 'Layout', 'PrePaint', 'MinorGC', 'MajorGC', 'HitTest']);

const server = await startServer();
const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: ['--no-sandbox', '--disable-gpu', '--js-flags=--expose-gc'] });
try {
  const { page, room } = await pageWithMessages();
  await page.goto(`${server.url}/rooms/${room.id}?chat`);
  await page.waitForSelector('article.message');
  await page.evaluate(watchLongTasks);
  print('live', await scrolled(page, -1, 60));
  const loaded = await page.evaluate(loadAll, MESSAGES);
  console.log(`all ${MESSAGES} loaded by keys in ${Math.round(loaded.ms)} ms; long tasks while loading: ${loaded.long}`);
  console.log(`heap ${Math.round((await heap(page)) / 1e6)} MB, elements in the list ${await page.evaluate(() => document.querySelectorAll('.messages *').length)}`);
  print('down', await scrolled(page, 1, FRAMES));
  print('up', await scrolled(page, -1, FRAMES));
  await kept(page);
} finally {
  await browser.close();
  await server.close();
}

/** A signed-in page whose local copy has the messages, and whose server seems to. */
async function pageWithMessages() {
  const { user, access_token } = await server.register('anna', PASSWORD);
  const room = await server.request('POST', 'rooms', { token: access_token, body: { name: 'Stammtisch', encryption: 'open' } });
  const context = await browser.newContext({ viewport: SIZE });
  const page = await context.newPage();
  const told = (each) => (each.id === room.id ? { ...each, first_seq: 1, last_seq: MESSAGES, read_seq: MESSAGES } : each);
  await context.route(/\/api\/v1\/rooms(\/[0-9a-f-]+)?$/, async (route) => {
    if (route.request().method() !== 'GET') return route.continue();
    const response = await route.fetch();
    const json = await response.json();
    await route.fulfill({ response, json: json.rooms ? { rooms: json.rooms.map(told) } : told(json) });
  });
  await page.goto(`${server.url}/login`);
  await page.fill('[name="username"]', 'anna');
  await page.fill('[name="password"]', PASSWORD);
  await page.click('[data-action="login"]');
  await page.waitForSelector('[data-page="rooms"] [data-room]');
  // Of the same origin, and without the client.
  await page.goto(`${server.url}/api/v1/config`);
  await page.evaluate(fill, [user.id, room.id, MESSAGES]);
  return { page, room };
}

/** Runs in the page. */
async function fill([me, room, count]) {
  const people = [me, ...[1, 2, 3, 4].map((number) => `00000000-0000-4000-8000-00000000000${number}`)];
  const id = (seq) => `10000000-0000-4000-8000-${String(seq).padStart(12, '0')}`;
  const words = 'the train leaves at seven from platform nine please bring your own coffee and the blue folder'.split(' ');
  const text = (seq) => Array.from({ length: 2 + ((seq * 7919) % 40) }, (_, at) => words[(seq * 31 + at * 17) % words.length]).join(seq % 23 === 0 ? '\n' : ' ');
  const body = (seq) => {
    if (seq % 10 === 9) return { v: 1, type: 'reaction', to: id(seq - 2), emoji: ['👍', '🎉', '❤️'][seq % 3], on: true };
    if (seq % 50 === 8) return { v: 1, type: 'edit', of: id(seq - 1), text: `${text(seq)} (edited)` };
    const more = seq % 15 === 0 ? { reply_to: id(seq - 4) } : seq % 40 === 1 ? { files: [{ id: id(seq), name: `plan ${seq}.pdf`, type: 'application/pdf', size: 123_456 }] } : {};
    return { v: 1, type: 'text', text: seq % 31 === 0 ? `${text(seq)} https://example.org/${seq}` : text(seq), ...more };
  };
  const request = indexedDB.open(`webcall-chat-${me}`);
  await new Promise((resolve) => (request.onsuccess = resolve));
  const found = request.result.transaction('keys').objectStore('keys').get('copy');
  await new Promise((resolve) => (found.onsuccess = resolve));
  // As `web/e2ee/at-rest.js` does it: the nonce, then what is sealed.
  const sealed = async (value, place) => {
    const [nonce, utf8] = [crypto.getRandomValues(new Uint8Array(12)), new TextEncoder()];
    const ciphertext = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: utf8.encode(place) }, found.result, utf8.encode(JSON.stringify(value)));
    return Uint8Array.of(...nonce, ...new Uint8Array(ciphertext));
  };
  for (let from = 1; from <= count; from += 5_000) {
    const seqs = Array.from({ length: Math.min(5_000, count + 1 - from) }, (_, at) => from + at);
    const rows = await Promise.all(
      seqs.map(async (seq) => {
        const said = body(seq);
        const sender = said.type === 'edit' ? people[Math.floor((seq - 1) / 3) % 5] : people[Math.floor(seq / 3) % 5];
        const content = await sealed(JSON.stringify(said), `entries ${room} ${seq} ${id(seq)}`);
        return { room, seq, id: id(seq), kind: 'message', sender, at: 1_700_000_000_000 + seq * 200_000, content, about: said.of ?? said.to ?? null };
      }),
    );
    const transaction = request.result.transaction(['entries', 'ranges'], 'readwrite');
    for (const row of rows) transaction.objectStore('entries').put(row);
    transaction.objectStore('ranges').put({ room, ranges: [[1, count]] });
    await new Promise((resolve) => (transaction.oncomplete = resolve));
  }
  request.result.close();
}

/** Runs in the page. */
function watchLongTasks() {
  window.longTasks = 0;
  new PerformanceObserver((list) => (window.longTasks += list.getEntries().length)).observe({ type: 'longtask' });
}

/** Runs in the page: to the first message, as the Home key does, until nothing more is loaded. */
async function loadAll(count) {
  const [begun, long] = [performance.now(), window.longTasks];
  const list = document.querySelector('.messages');
  const first = () => document.querySelector('article.message')?.dataset.message.endsWith(`-${String(1).padStart(12, '0')}`);
  for (let turn = 0; turn < count && !first(); turn += 1) {
    list.focus();
    list.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true, cancelable: true }));
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  return { ms: performance.now() - begun, long: window.longTasks - long };
}

/** One page a frame, so many frames, with a trace. */
async function scrolled(page, direction, frames) {
  await browser.startTracing(page, { categories: ['devtools.timeline', 'disabled-by-default-v8.gc', 'blink.user_timing', '__metadata'] });
  const seen = await page.evaluate(
    async ([way, most]) => {
      const list = document.querySelector('.messages');
      const [long, heights] = [window.longTasks, []];
      let blank = 0;
      for (let frame = 0; frame < most; frame += 1) {
        performance.mark('frame');
        list.scrollTop += way * list.clientHeight;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        heights.push(list.scrollTop);
        const { left, top, bottom } = list.getBoundingClientRect();
        for (const y of [top + 8, bottom - 8]) blank += Number(document.elementFromPoint(left + 100, y)?.closest('.message-row') === null);
      }
      return { moved: Math.abs(heights.at(-1) - heights[0]), blank, long: window.longTasks - long };
    },
    [direction, frames],
  );
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  return { ...seen, ...perFrame(traceEvents) };
}

/** Processor time of the main thread's work between two marks. */
function perFrame(events) {
  const main = new Set(events.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid}/${tid}`));
  const mine = events.filter(({ pid, tid }) => main.has(`${pid}/${tid}`)).sort((a, b) => a.ts - b.ts);
  const marks = mine.filter(({ name, cat }) => name === 'frame' && cat.includes('user_timing'));
  const [owner] = marks.map(({ pid, tid }) => `${pid}/${tid}`);
  const work = mine.filter(({ name, ph, pid, tid, dur }) => ph === 'X' && WORK.has(name) && `${pid}/${tid}` === owner && dur !== undefined);
  const frames = marks.map(() => ({ cpu: 0, script: 0, layout: 0 }));
  let [index, end] = [0, -1];
  for (const { ts, dur, tdur = dur, name } of work) {
    while (index + 1 < marks.length && marks[index + 1].ts <= ts) index += 1;
    if (frames.length === 0 || ts < marks[0].ts) continue;
    const isStyle = name === 'Layout' || name === 'UpdateLayoutTree' || name === 'PrePaint';
    if (isStyle) frames[index].layout += tdur;
    if (ts < end) continue;
    end = ts + dur;
    frames[index].cpu += tdur;
  }
  return { total: quantiles(frames.map(({ cpu }) => cpu / 1000)), layout: quantiles(frames.map(({ layout }) => layout / 1000)), frames: frames.length };
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(2);
  return { p50: at(0.5), p95: at(0.95), max: at(1) };
}

function print(what, { total, layout, frames, moved, blank, long }) {
  console.log(`${what.padEnd(6)} ${frames} frames, ${Math.round(moved)} px: p50 ${total.p50} ms, p95 ${total.p95} ms, max ${total.max} ms (style and layout ${layout.p50}, ${layout.p95}, ${layout.max}); long tasks ${long}, blank edges ${blank}`);
}

async function heap(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize;
}

/** Whether the place is kept when a message comes and when older ones are loaded: how far the row at the top moves. */
async function kept(page) {
  const moved = await page.evaluate(async () => {
    const list = document.querySelector('.messages');
    list.scrollTop = list.scrollHeight / 2;
    for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    const row = document.elementFromPoint(list.getBoundingClientRect().left + 100, list.getBoundingClientRect().top + 200).closest('.message-row');
    const before = row.getBoundingClientRect().top;
    for (const other of document.querySelectorAll('.message-row')) {
      if (other.getBoundingClientRect().bottom < before) other.style.paddingBottom = '30px';
    }
    for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
    return row.getBoundingClientRect().top - before;
  });
  console.log(`a row in sight moves by ${moved.toFixed(2)} px when those above it turn out higher`);
}

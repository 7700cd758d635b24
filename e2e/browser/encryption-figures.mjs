// What encryption costs a call: node encryption-figures.mjs [ROUNDS [SECONDS]]. Nothing is asserted.
//
// Two pages call each other, camera and microphone, in an open room and in an encrypted one by turns, so that whatever else the machine does
// falls on both. Counted is the processor time of all processes and threads of the browser: the difference is what encryption costs with
// everything around it; the time of the threads of workers, of which a page has those of its keys and its media only, is what our own code takes.

import { readFileSync, readdirSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { seesMotion } from './lib/eyes.mjs';
import { inCall, party } from './lib/party.mjs';

const ROUNDS = Number(process.argv[2] ?? 3);
const SECONDS = Number(process.argv[3] ?? 20);
/** As the kernel counts processor time. */
const TICKS_A_SECOND = 100;
/** As Chromium calls the threads of workers; the kernel keeps 15 characters. */
const WORKER = 'DedicatedWorker';

const table = await party();
try {
  await sizes();
  const people = [await table.person('chromium'), await table.person('chromium')];
  const rooms = { open: await table.room(people), mls: await table.room(people, { encryption: 'mls' }) };
  const spent = { open: [], mls: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const encryption of ['open', 'mls']) spent[encryption].push(await call(people, rooms[encryption]));
  }
  print(spent);
} finally {
  await table.end();
}

/** Of what the page loads for its keys, as it comes over the network. */
async function sizes() {
  const page = await (await fetch(table.server.url)).text();
  const [tree] = /\/a\/[0-9a-f]+\//.exec(page);
  for (const name of ['e2ee/keys/crypto_bg.wasm', 'e2ee/keys/crypto.js']) {
    const response = await fetch(`${table.server.url}${tree}${name}`);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    const bytes = Buffer.from(await response.arrayBuffer());
    console.log(`${name}: ${kB(bytes.length)} kB, gzip ${kB(gzipSync(bytes, { level: 9 }).length)}, brotli ${kB(brotliCompressSync(bytes).length)}`);
  }
}

/** @returns {Promise<{ all: number, workers: number }>} processor seconds a second of a call */
async function call(people, room) {
  await table.join(people, room);
  await seesMotion(people[0], people[1]);
  await seesMotion(people[1], people[0]);
  const [before, start] = [processorTime(), performance.now()];
  await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
  const [after, seconds] = [processorTime(), (performance.now() - start) / 1_000];
  for (const page of people) {
    await inCall(page);
    await page.click('leave');
    await page.goto(`${table.server.url}/`);
  }
  return { all: (after.all - before.all) / seconds, workers: (after.workers - before.workers) / seconds };
}

/** Of all processes that this one started, in seconds. */
function processorTime() {
  const total = { all: 0, workers: 0 };
  for (const pid of descendants(process.pid)) {
    for (const thread of list(`/proc/${pid}/task`)) {
      const stat = read(`/proc/${pid}/task/${thread}/stat`);
      const end = stat.lastIndexOf(')');
      if (end < 0 || !read(`/proc/${pid}/cmdline`).includes('chromium')) continue;
      const [user, system] = stat.slice(end + 2).split(' ').slice(11, 13).map(Number);
      const seconds = (user + system) / TICKS_A_SECOND;
      total.all += seconds;
      if (stat.slice(stat.indexOf('(') + 1, end) === WORKER) total.workers += seconds;
    }
  }
  return total;
}

/** @param {number} root @returns {string[]} */
function descendants(root) {
  const parents = new Map(list('/proc').filter((name) => /^\d+$/.test(name)).map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid) => pid !== undefined && (pid === String(root) || isBelow(parents.get(pid)));
  return [...parents.keys()].filter((pid) => isBelow(parents.get(pid)));
}

/** @param {string} pid */
function parentOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
}

/** What has ended meanwhile is not there. @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function print(spent) {
  const mean = (encryption, part) => spent[encryption].reduce((sum, each) => sum + each[part], 0) / spent[encryption].length;
  for (const encryption of ['open', 'mls']) {
    const rounds = spent[encryption].map(({ all }) => percent(all)).join(', ');
    console.log(`${encryption}: two pages take ${percent(mean(encryption, 'all'))} % of a core (rounds: ${rounds}), threads of workers ${percent(mean(encryption, 'workers'))} %`);
  }
  const [open, mls] = [mean('open', 'all'), mean('mls', 'all')];
  console.log(`encryption takes ${percent((mls - open) / mls)} % of a call's processor time by the difference, ${percent(mean('mls', 'workers') / mls)} % by the threads of its workers`);
}

/** @param {number} share */
function percent(share) {
  return (100 * share).toFixed(1);
}

/** @param {number} bytes */
function kB(bytes) {
  return (bytes / 1_000).toFixed(0);
}

// Files on their way: cut off and gone on with, called off, dropped and pasted; and whatever arrives is what was sent, byte for byte.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { NARROW, openChat, reads, row, type, write } from './lib/chat.mjs';
import { removeFolder, temporaryFolder } from './lib/children.mjs';
import { withLine } from './lib/firewall.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const MIB = 1 << 20;
/** Many pieces, so that what is gone on with and what is begun anew differ by more than a piece. */
const SIZE = 12 * MIB;
/** So much passes before each cut. */
const UNTIL_CUT = 5 * MIB;
/** Sent twice at most: one piece for each cut. The rest is what pages say beside a file. */
const SENT_TWICE = 3 * MIB;

const folder = temporaryFolder('files');
after(() => removeFolder(folder));

const hashOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');

function someFile(name) {
  const path = join(folder, name);
  writeFileSync(path, randomBytes(SIZE));
  return path;
}

const attach = (page, path) => page.chooseFiles(() => page.pressNamed('button', words(page, 'chat.attach')), [path]);

/** How far the upload is, from 0 to 1; null when there is none. */
const progress = (page) => page.evaluate(() => document.querySelector('.attachments progress')?.value ?? null);

/** The file's row offers to remove it: it is at the server. */
const uploaded = (page, name) => page.seeNamed('button', `${words(page, 'chat.remove_file')}: ${name}`);

/** Downloads the first file of a message, as whoever reads it does. */
const download = (page, message) => page.download(() => page.press(`${row(message)} [data-action="download"]`));

/** How far the file is when the line is cut: nothing moves then. */
async function whenCut(page, line) {
  await line.isCut();
  const part = await page.until('the upload to be on its way', () => progress(page));
  assert.ok(part < 1, 'the upload was over before the line was cut');
  return part;
}

/** By the network first, of which the server notices nothing for half a minute, where `by_network`; then by the server's end in the middle of a piece. */
async function cutOff({ table, anna, boris }, by_network) {
  const path = someFile('plan.bin');
  await withLine(`tcp dport ${table.server.port}`, async (line) => {
    await line.cutAfter(UNTIL_CUT, by_network ? 'refused' : 'dead');
    await attach(anna, path);
    const first = await whenCut(anna, line);
    if (by_network) {
      await line.cutAfter(UNTIL_CUT, 'dead');
      const second = await whenCut(anna, line);
      assert.ok(second > first, `at ${second} after ${first}`);
    }
    await table.server.kill();
    await line.mend();
    await table.server.start();
    await uploaded(anna, 'plan.bin');
    const passed = await line.passed();
    assert.ok(passed > SIZE && passed < SIZE + SENT_TWICE, `${passed} bytes for a file of ${SIZE}`);
  });
  await write(anna, 'the plan');
  const message = await reads(boris, 'the plan');
  assert.equal(hashOf(await download(boris, message)), hashOf(path));
}

async function calledOff({ table, anna, boris, room }) {
  const path = someFile('secret.bin');
  // Driven from here, Firefox opens the dialog for files once for each page that it loads.
  await openChat(table, anna, room);
  await withLine(`tcp dport ${table.server.port}`, async (line) => {
    await line.cutAfter(UNTIL_CUT, 'dead');
    await attach(anna, path);
    await line.isCut();
    await type(anna, 'no file after all');
    await anna.pressNamed('button', `${words(anna, 'chat.cancel_upload')}: secret.bin`);
    await anna.seeGone('.attachments li');
  });
  await anna.pressNamed('button', words(anna, 'chat.send'));
  const message = await reads(boris, 'no file after all');
  assert.ok(await boris.evaluate((selector) => document.querySelector(`${selector} .file-card`) === null, row(message)));
}

/**
 * Gives a picture and a text to the page as a file manager and a clipboard do: neither can be reached from here, and the clipboard of Firefox
 * without a screen holds no picture. Gives the picture's hash.
 */
function handOver(page, how) {
  return page.evaluate(async (by) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const brush = canvas.getContext('2d');
    for (let x = 0; x < 640; x += 1) {
      brush.fillStyle = `hsl(${x} 80% 50%)`;
      brush.fillRect(x, 0, 1, 360);
    }
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'));
    const load = (transfer) => {
      transfer.items.add(new File([blob], `${by}.png`, { type: 'image/png' }));
      transfer.items.add(new File(['plain'], `${by}.txt`, { type: 'text/plain' }));
      return transfer;
    };
    const init = { bubbles: true, cancelable: true };
    if (by === 'paste') {
      // Firefox gives the event a clipboard of its own, whatever it is made with: that one is filled.
      const event = new ClipboardEvent('paste', { ...init, clipboardData: new DataTransfer() });
      load(event.clipboardData);
      document.querySelector('.composer textarea').dispatchEvent(event);
    } else {
      const dataTransfer = load(new DataTransfer());
      for (const name of ['dragover', 'drop']) document.querySelector('.messages').dispatchEvent(new DragEvent(name, { ...init, dataTransfer }));
    }
    return [...new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, how);
}

async function handedOver({ anna, boris }, how) {
  const hash = await handOver(anna, how);
  for (const ending of ['png', 'txt']) await uploaded(anna, `${how}.${ending}`);
  await anna.waitFor('the picture, small', () => document.querySelector('.attachments li img')?.naturalWidth > 0);
  await write(anna, `by ${how}`);
  const message = await reads(boris, `by ${how}`);
  await boris.waitFor('the picture in the message', (selector) => document.querySelector(`${selector} .thumbnail`)?.naturalWidth > 0, [row(message)]);
  assert.equal(hashOf(await download(boris, message)), hash);
}

for (const [engines, options, by_network] of [
  [['chromium', 'firefox'], { language: 'en' }, false],
  [['firefox', 'chromium'], { language: 'ru', ...NARROW }, true],
]) {
  test(`files from ${engines.join(' to ')}`, (context) =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(engines[0], options), await table.person(engines[1])];
      const room = await table.room([anna, boris]);
      for (const page of [anna, boris]) await openChat(table, page, room);
      const people = { table, anna, boris, room };
      await context.test(`an upload that is cut off ${by_network ? 'by the network and ' : ''}by the server's end goes on where it was, byte for byte`, () => cutOff(people, by_network));
      await context.test('an upload can be called off, and what is written goes without it', () => calledOff(people));
      for (const how of ['drop', 'paste']) {
        await context.test(`a picture is shown small before and after it is sent, and comes out as it was (${how})`, () => handedOver(people, how));
      }
    }));
}

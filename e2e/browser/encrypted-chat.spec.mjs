// Chat in an encrypted room, as people have it: two browsers, both languages, from the room that is made encrypted to a message that is answered;
// what the server keeps has none of it.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { choose, openChat, reads, row, write } from './lib/chat.mjs';
import { removeFolder, temporaryFolder } from './lib/children.mjs';
import { during, party } from './lib/party.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const folder = temporaryFolder('sealed');
after(() => removeFolder(folder));
const SECRET = 'the boat leaves at seven';

/** Whoever writes has the keys of the room: what others write before that, they could not read. */
async function isIn(page, other) {
  await write(page, 'I am here');
  await reads(other, 'I am here');
}

for (const [annas, boriss] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`a room is made encrypted, and what is written there is read by its members and by nobody else (${annas}, ${boriss})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(annas, { language: 'en' }), await table.person(boriss, { language: 'ru' })];
      await anna.fill('room_name', 'Boats');
      await anna.click('create-room');
      await anna.see('[data-page="prejoin"] [data-encryption="mls"]');
      const { rooms: [room] } = await table.server.request('GET', 'rooms', { token: anna.token });
      assert.equal(room.encryption, 'mls');
      await boris.goto(await table.link(anna, room));
      await boris.waitFor('to be told of the encryption', (text) => document.body.innerText.includes(text), [words(boris, 'encryption.mls_hint')]);
      await boris.pressNamed('button', words(boris, 'join.action'));
      await boris.see('[data-page="prejoin"]');
      await openChat(table, boris, room);
      // What he writes waits until somebody has let his device in.
      await write(boris, 'may I come along');
      await reads(anna, 'may I come along');
      await write(anna, SECRET);
      const first = await reads(boris, SECRET);
      await write(boris, 'aye');
      await reads(anna, 'aye');
      await choose(boris, first, 'chat.reply');
      await write(boris, 'and comes back at nine');
      await reads(anna, 'and comes back at nine');
      await anna.reload();
      for (const text of [SECRET, 'aye', 'and comes back at nine']) await reads(anna, text);
      await write(anna, 'after a reload');
      await reads(boris, 'after a reload');
      assert.equal(await anna.evaluate(() => document.querySelectorAll('.message-gone, .notice').length), 0);
      await boris.see(row(first));
      const { entries } = await table.server.request('GET', `rooms/${room.id}/messages`, { token: anna.token });
      const kept = entries.filter(({ kind }) => kind === 'message').map(({ body }) => Buffer.from(body, 'base64url').toString('latin1'));
      assert.equal(kept.length, 5);
      assert.ok(kept.every((body) => !body.includes('boat') && !body.includes('comes back')), 'nothing of it is readable');
    }));
}

for (const [annas, boriss] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`a file in an encrypted room arrives byte for byte, and is nothing that the server could read (${annas}, ${boriss})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(annas, { language: 'en' }), await table.person(boriss, { language: 'ru' })];
      const room = await table.room([anna, boris], { encryption: 'mls' });
      await openChat(table, anna, room);
      await openChat(table, boris, room);
      await isIn(boris, anna);
      await write(boris, 'send me the plan');
      await reads(anna, 'send me the plan');
      // More than one piece of the upload, many chunks of the seal, and not a whole number of either.
      const [path, content] = [join(folder, `plan-${annas}.bin`), randomBytes((3 << 20) + 12_345)];
      writeFileSync(path, content);
      await anna.chooseFiles(() => anna.pressNamed('button', words(anna, 'chat.attach')), [path]);
      await anna.seeNamed('button', `${words(anna, 'chat.remove_file')}: plan-${annas}.bin`);
      await write(anna, 'here it is');
      const message = await reads(boris, 'here it is');
      const got = await boris.download(() => boris.press(`${row(message)} [data-action="download"]`));
      assert.ok(readFileSync(got).equals(content), 'what arrives is what was sent');
      const file = await boris.evaluate((selector) => document.querySelector(selector).dataset.file, `${row(message)} [data-action="download"]`);
      const response = await fetch(`${table.server.url}/api/v1/files/${file}`, { headers: { authorization: `Bearer ${boris.token}` } });
      const kept = Buffer.from(await response.arrayBuffer());
      assert.ok(kept.length > content.length);
      for (let at = 0; at < content.length; at += 100_000) assert.ok(!kept.includes(content.subarray(at, at + 64)), `what stands at ${at} is readable`);
    }));
}

for (const [annas, others] of variants([['chromium', 'firefox'], ['firefox', 'chromium']])) {
  test(`another browser of a person shows what was written before it came, by the recovery code (${annas}, ${others})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(annas, { language: 'en' }), await table.person(others, { language: 'ru' })];
      const room = await table.room([anna, boris], { encryption: 'mls' });
      for (const page of [anna, boris]) await openChat(table, page, room);
      await isIn(boris, anna);
      await write(boris, SECRET);
      await reads(anna, SECRET);
      await anna.goto(`${table.server.url}/settings`);
      await anna.click('add-recovery_code');
      const code = await anna.waitFor('the code', () => document.querySelector('dialog[open] .keys-code')?.textContent);
      await anna.click('recovery-code-kept');
      await anna.seeGone('dialog[open]');
      await openChat(table, anna, room);
      await write(anna, 'aye, at seven');
      await reads(boris, 'aye, at seven');
      await isArchived(table, anna);
      const another = await table.secondWindow(anna, others);
      await another.goto(`${table.server.url}/settings`);
      await another.fill('code', code);
      await another.click('use-recovery-code');
      await another.seeGone('[data-action="use-recovery-code"]');
      await openChat(table, another, room);
      for (const text of [SECRET, 'aye, at seven']) await reads(another, text);
      assert.equal(await another.evaluate(() => document.querySelectorAll('.notice, [data-banner="keys-archive"]').length), 0);
      await write(another, 'and back at nine');
      for (const page of [anna, boris]) await reads(page, 'and back at nine');
    }));
}

/** Until the server has an archive of keys of a person: what it has beside the unlockers. */
async function isArchived(table, page) {
  const end_ms = Date.now() + 30_000;
  for (;;) {
    const { backups } = await table.server.request('GET', 'e2ee/backups', { token: page.token });
    if (backups.some(({ slot }) => slot !== 'unlockers')) return;
    assert.ok(Date.now() < end_ms, 'the archive never came');
    // Nobody waits until it is this browser's turn: a page that is left does at once what it put off.
    await page.evaluate(() => void globalThis.dispatchEvent(new Event('pagehide')));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

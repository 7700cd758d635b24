// Chat in an encrypted room, as people have it: two browsers, both languages, from the room that is made encrypted to a message that is answered;
// what the server keeps has none of it.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { choose, openChat, reads, row, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { words } from './lib/words.mjs';

const SECRET = 'the boat leaves at seven';

for (const [annas, boriss] of [['chromium', 'firefox'], ['firefox', 'chromium']]) {
  test(`a room is made encrypted, and what is written there is read by its members and by nobody else (${annas}, ${boriss})`, () =>
    during(party(), async (table) => {
      const [anna, boris] = [await table.person(annas, { language: 'en' }), await table.person(boriss, { language: 'ru' })];
      await anna.fill('room_name', 'Boats');
      await anna.pressNamed('checkbox', words(anna, 'encryption.choose'));
      await anna.click('create-room');
      await anna.see('[data-page="prejoin"] [data-encryption="mls"]');
      const { rooms: [room] } = await table.server.request('GET', 'rooms', { token: anna.token });
      assert.equal(room.encryption, 'mls');
      await boris.goto(`${table.server.url}/join/${room.link_code}`);
      await boris.waitFor('to be told of the encryption', (text) => document.body.innerText.includes(text), [words(boris, 'encryption.mls_hint')]);
      await boris.pressNamed('button', words(boris, 'join.action'));
      await openChat(table, anna, room);
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
      assert.ok(kept.every((body) => !body.includes('boat') && !body.includes('aye')), 'nothing of it is readable');
    }));
}

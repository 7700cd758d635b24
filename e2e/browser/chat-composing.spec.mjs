// Before a message is sent: a draft outlives the page. After it: an address in it is a link that nobody followed unasked.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { choose, NARROW, openChat, reads, row, type, write } from './lib/chat.mjs';
import { during, party } from './lib/party.mjs';
import { ADDRESS } from './lib/server.mjs';
import { variants } from './lib/variants.mjs';
import { words } from './lib/words.mjs';

const FIELD = '.composer textarea';
const fieldSays = (page, text) => page.waitFor(`"${text}" in the field`, (selector, wanted) => document.querySelector(selector)?.value === wanted, [FIELD, text]);

for (const [engine, options] of variants([
  ['chromium', { language: 'ru', ...NARROW }],
  ['firefox', { language: 'en' }],
])) {
  test(`a draft and what it answers survive a reload, stand in the list, and go once they are sent (${engine}, ${options.language})`, () =>
    during(party(), async (table) => {
      const anna = await table.person(engine, options);
      const room = await table.room([anna]);
      await openChat(table, anna, room);
      await write(anna, 'the question');
      const question = await reads(anna, 'the question');
      await choose(anna, question, 'chat.reply');
      await type(anna, 'half a thou');
      await anna.reload();
      await fieldSays(anna, 'half a thou');
      await anna.seeNamed('button', words(anna, 'common.cancel'), '.composer');

      await anna.goto(`${table.server.url}/`);
      await anna.waitFor('the draft in the list', (id, mark) => document.querySelector(`[data-room="${id}"] .preview-line`)?.textContent === `${mark} half a thou`, [room.id, words(anna, 'chat.draft')]);
      await openChat(table, anna, room);
      await fieldSays(anna, 'half a thou');
      await type(anna, 'ght');
      await anna.key('Enter');
      const answer = await reads(anna, 'half a thought');
      await anna.see(`${row(answer)} .quote[data-target="${question}"]`);
      await anna.reload();
      await anna.see(row(answer));
      await fieldSays(anna, '');
    }));
}

/** A web server that counts who comes to it, by connections. */
async function witness() {
  let visits = 0;
  const server = createServer((_, response) => response.end('seen'));
  server.on('connection', () => (visits += 1));
  server.listen(0, ADDRESS ?? '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://${ADDRESS ?? '127.0.0.1'}:${server.address().port}`, visits: () => visits, close: () => server.close() };
}

test('an address in a message is a link, and no page and no server goes there unasked (chromium, firefox)', () =>
  during(party(), async (table) => {
    const web = await witness();
    try {
      const people = [await table.person('chromium'), await table.person('firefox', { language: 'ru' })];
      const [anna, boris] = people;
      const room = await table.room(people);
      for (const page of people) await openChat(table, page, room);
      await write(anna, `look (${web.url}/picture.png), and javascript:alert(1)`);
      const message = await reads(boris, '/picture.png');
      for (const page of people) {
        const links = await page.evaluate((selector) => [...document.querySelectorAll(`${selector} a`)].map(({ href, target, rel }) => ({ href, target, rel })), row(message));
        assert.deepEqual(links, [{ href: `${web.url}/picture.png`, target: '_blank', rel: 'noopener noreferrer' }]);
        await page.reload();
        await page.see(`${row(message)} a`);
      }
      await boris.goto(`${table.server.url}/`);
      await boris.waitFor('the message in the list', (id) => document.querySelector(`[data-room="${id}"] .preview-line`)?.textContent.includes('picture.png'), [room.id]);
      // Whatever was begun has been begun by now: the writer's next message went to the server and on to the reader.
      await write(anna, 'and now?');
      await boris.waitFor('the next message in the list', (id) => document.querySelector(`[data-room="${id}"] .preview-line`)?.textContent.includes('and now?'), [room.id]);
      assert.equal(web.visits(), 0);
      await fetch(`${web.url}/picture.png`, { headers: { connection: 'close' } });
      assert.equal(web.visits(), 1, 'the witness sees nothing');
    } finally {
      web.close();
    }
  }));

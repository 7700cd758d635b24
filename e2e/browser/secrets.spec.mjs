// What a person keeps to themselves, and what a server gets for one purpose only, in all that it keeps, says, gets and gives, and in its log that says
// all that an operator can have it say:
//
// - the recovery code and the passphrase, in whatever form, are nowhere at all;
// - the password of the account is in the requests that sign in, and nowhere else;
// - the code of a room's link is the server's own: it is kept, given to members and asked for, and stands in two addresses, of the page that the link leads
//   to and of what that page asks; it is in no other address, not logged, and not pushed over the WebSocket.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { placesOf } from '../lib/canaries.mjs';
import { openChat, reads, write } from './lib/chat.mjs';
import { collected, TALKATIVE } from './lib/collected.mjs';
import { during, party, PASSWORD } from './lib/party.mjs';

const PASSPHRASE = 'seven boats leave as quietly as they came';
/** Crockford's base 32, as recovery codes are written. */
const SYMBOLS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_BYTES = 16;

/** The 128 bits of a recovery code. */
function bytesOf(code) {
  const bits = [...code.replaceAll('-', '')].map((symbol) => SYMBOLS.indexOf(symbol).toString(2).padStart(5, '0')).join('');
  return Buffer.from(Array.from({ length: CODE_BYTES }, (_, at) => Number.parseInt(bits.slice(8 * at, 8 * at + 8), 2)));
}

/** Both secrets, as they are shown and typed and as a program may have written them. */
function formsOf(code) {
  const bare = code.replaceAll('-', '');
  return {
    'recovery code': code,
    'recovery code without hyphens': bare,
    'recovery code in small letters': code.toLowerCase(),
    'recovery code in small letters, without hyphens': bare.toLowerCase(),
    'recovery code in hex': bytesOf(code).toString('hex'),
    'recovery code in base64': bytesOf(code).toString('base64').replace(/=+$/, ''),
    passphrase: PASSPHRASE,
  };
}

/** Makes both ways back to one's messages. @returns the code */
async function setUp(table, page) {
  await page.goto(`${table.server.url}/settings`);
  await page.see('[data-backup="none"]');
  await page.click('add-recovery_code');
  const code = await page.waitFor('the code', () => document.querySelector('dialog .keys-code')?.textContent);
  await page.click('recovery-code-kept');
  await page.see('[data-backup="one"]');
  await page.click('add-passphrase');
  await page.fill('passphrase', PASSPHRASE);
  await page.fill('again', PASSPHRASE);
  await page.click('passphrase-set');
  await page.see('[data-backup="backed-up"]');
  return code;
}

/** Of its 16 bytes all that stand in characters of their own. */
const LINK_SECRET = 21;

/** Comes into a room by its link, as whoever was sent it. */
async function follow(table, page, room) {
  await page.goto(`${table.server.url}/join/${room.link_code}`);
  await page.click('join-room');
  await page.see(`[data-page="prejoin"]`);
}

const kindOf = (place) => place.replace(/^\w+: (?=HTTP|WebSocket)/, '').replace(/^data folder: .*/, 'data folder');
const kinds = (places) => [...new Set(places.map(kindOf))].sort();

test('t25 the ways back to one’s messages are nowhere, the password only where one signs in, and the code of a link is in no log, WebSocket or further address', () =>
  during(party(TALKATIVE), async (table) => {
    const people = [await table.stranger('chromium'), await table.stranger('chromium')];
    const traffic = people.map((page) => page.listenIn());
    for (const page of people) {
      page.token = (await table.server.register(page.username, PASSWORD)).access_token;
      await table.signIn(page, page.username);
    }
    const [anna, boris] = people;
    const rooms = { encrypted: await table.room([anna], { encryption: 'mls' }), open: await table.room([anna], { encryption: 'open' }) };
    const link = await table.link(anna, rooms.encrypted);
    await table.come(boris, link);
    await follow(table, boris, rooms.open);
    await openChat(table, anna, rooms.encrypted);
    await write(anna, 'the first of all');
    await reads(anna, 'the first of all');
    // Its first bytes are the secret; a signature that means nothing without it follows.
    const secrets = { ...formsOf(await setUp(table, anna)), 'secret of a link': new URL(link).hash.slice('#encrypted.'.length).slice(0, LINK_SECRET) };

    const links = Object.fromEntries(Object.entries(rooms).map(([name, { link_code }]) => [name, link_code]));
    const all = await collected(table.server, traffic);
    const places = placesOf(all, { ...secrets, ...links, password: PASSWORD });
    assert.deepEqual(placesOf(all, { request: '/api/v1/rooms/link/{code}' }).request, ['log'], 'the log tells of the request that had the code, and not the code');
    for (const [what, found] of Object.entries(places)) console.log(`${what}: ${kinds(found).join('; ') || 'nowhere'}`);
    for (const what of Object.keys(secrets)) assert.deepEqual(places[what], [], `the ${what}`);
    assert.deepEqual(kinds(places.password), ['HTTP request']);
    for (const what of Object.keys(links)) {
      const allowed = ['HTTP address', 'HTTP answer', 'HTTP request', 'data folder'];
      assert.deepEqual(kinds(places[what]), allowed, `the code of the link of the ${what} room`);
      const addresses = all.filter(({ place, bytes }) => kindOf(place) === 'HTTP address' && Buffer.from(bytes).includes(links[what]));
      const paths = new Set(addresses.map(({ bytes }) => new URL(Buffer.from(bytes).toString()).pathname));
      assert.deepEqual([...paths].sort(), [`/api/v1/rooms/link/${links[what]}`, `/join/${links[what]}`]);
    }

    // Who writes them in an open room has told the server: the same search finds each.
    await openChat(table, anna, rooms.open);
    for (const text of Object.values(secrets)) {
      await write(anna, `it is ${text} .`);
      await reads(anna, text);
    }
    const told = placesOf((await collected(table.server, traffic)).filter(({ place }) => place !== 'log'), secrets);
    for (const [what, found] of Object.entries(told)) assert.ok(['data folder', 'HTTP request'].every((kind) => kinds(found).includes(kind)), `the ${what}, told: ${kinds(found)}`);
  }));

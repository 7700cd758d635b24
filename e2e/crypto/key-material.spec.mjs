// The keys themselves: whatever people do in an encrypted room, no secret of their clients is found in what the server is sent, sends, keeps, logs and has in its memory, as
// bytes, in hex, in base64, or compressed. What is public of the same keys is, by the same search.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import WebSocket from 'ws';

import { filesIn, placesOf } from '../lib/canaries.mjs';
import { TALKATIVE } from '../browser/lib/collected.mjs';
import { Stay, share } from './lib/call.mjs';
import { Chatter } from './lib/chatter.mjs';
import { Authenticator } from './lib/authenticator.mjs';
import { agree, stage } from './lib/people.mjs';
import { secretsIn } from './lib/opened-states.mjs';

const PASSPHRASE = 'a horse of no battery, and no staple';
const [FILE_KEY_AT, KEY_BYTES] = [1, 32];
/** Of one kind so many are looked for: a device makes a hundred key packages, and each of them is made and kept as all others. */
const MOST = 40;

/** By what they are of and how many of these there were. */
const secrets = {};
const published = {};
const keeps = (all, what, bytes) => {
  const known = Object.values(all).some((other) => Buffer.from(other).equals(Buffer.from(bytes)));
  const alike = Object.keys(all).filter((name) => name.startsWith(`${what} `)).length;
  if (!known && alike < MOST) all[`${what} ${Object.keys(all).length}`] = bytes;
};
const decoded = (text) => Buffer.from(text, 'base64');

/** All that comes out of a desk and is to stay in the browser. */
function hear({ answer, op }) {
  if (answer?.type === 'media') for (const { base } of answer.members) keeps(secrets, 'key of media', decoded(base));
  if (answer?.type === 'notice') keeps(secrets, 'key of an epoch of messages', decoded(answer.key));
  if (answer?.type === 'device' && op === 'first') keeps(published, 'identity', decoded(answer.identity));
  if (answer?.type === 'notice') for (const { device_key } of answer.members) keeps(published, 'key of a device', decoded(device_key));
  if (answer?.type === 'unlocker' && answer.code) for (const code of [answer.code, answer.code.replaceAll(/[^0-9A-Za-z]/g, '')]) keeps(secrets, 'recovery code', code);
}

const watch = (Desk) => ({
  open: (key) => {
    const state_key = Buffer.from(key);
    keeps(secrets, 'key of what a browser keeps', state_key);
    const desk = Desk.open(key);
    let device = null;
    return {
      handle(request) {
        const [outcome, { op, group, output }] = [desk.handle(request), JSON.parse(request)];
        const { answer, keep } = JSON.parse(outcome);
        hear({ answer, op });
        if (op === 'add_passkey') keeps(secrets, 'output of a passkey', decoded(output));
        if (answer?.type === 'device') device = decoded(answer.device);
        for (const { name, sealed } of device === null ? [] : keep.filter((each) => each.sealed !== null)) {
          for (const [what, bytes] of secretsIn(state_key, name, device, decoded(sealed))) keeps(secrets, what, bytes);
        }
        // As the service worker is given it.
        if (group?.kind === 'room') hear(JSON.parse(desk.handle(JSON.stringify({ op: 'notice_keys', room: group.id }))));
        return outcome;
      },
    };
  },
});

/** What clients and server say to each other, both ways, as long as this spec runs. */
const said = [];
const { emit, send } = WebSocket.prototype;
WebSocket.prototype.send = function (data, ...more) {
  said.push({ place: 'WebSocket, to the server', bytes: Buffer.from(data) });
  return send.call(this, data, ...more);
};
WebSocket.prototype.emit = function (event, ...all) {
  if (event === 'message') said.push({ place: 'WebSocket, from the server', bytes: Buffer.from(all[0]) });
  return emit.call(this, event, ...all);
};

class Overheard extends Chatter {
  constructor(...all) {
    super(...all);
    // Before it is started: the parts of its account are made then.
    this.passkeys = new Authenticator();
    this.fetch = async (url, init = {}) => {
      const place = `HTTP ${init.method ?? 'GET'}`;
      said.push({ place: `${place}, to the server`, bytes: Buffer.from(`${url} ${JSON.stringify(init.headers ?? {})}`) });
      if (typeof init.body === 'string') said.push({ place: `${place}, to the server`, bytes: Buffer.from(init.body) });
      else if (init.body) said.push({ place: `${place}, to the server`, bytes: Buffer.from(await new Response(init.body).arrayBuffer()) });
      const response = await fetch(url, init);
      said.push({ place: `${place}, from the server`, bytes: Buffer.from(await response.clone().arrayBuffer()) });
      return response;
    };
  }
}

const on = stage(Overheard, { ...TALKATIVE, watch });

test('t25 no key is in what the server gets, says, keeps and logs, nor in a crash dump of it, and what is public of the same keys is', async () => {
  const { clients, room } = await on.people.inRoom(3);
  const [ann, ben, cleo] = clients;
  await agree(clients, room);
  for (const client of clients) {
    const { recovery } = await client.ready();
    const { id } = await recovery.make();
    await recovery.kept(id);
  }
  const { recovery } = await ann.ready();
  await recovery.addPassphrase(PASSPHRASE);
  await recovery.addPasskey(ann.username);
  keeps(secrets, 'passphrase', PASSPHRASE);
  for (const [index, client] of clients.entries()) await client.says(room, `I am number ${index}`);
  const { file, sealed } = await ann.keys.account.sealFile(new Blob(['in the file']), { name: 'plan.txt', type: 'text/plain' });
  keeps(secrets, 'key of a file', decoded(sealed).subarray(FILE_KEY_AT, FILE_KEY_AT + KEY_BYTES));
  await ann.says(room, sealed);
  const response = await ann.fetch(new URL('/api/v1/nowhere', on.server.url), { method: 'POST', body: file });
  assert.equal(response.ok, false);
  const stays = [];
  for (const client of clients) stays.push(await Stay.of(client, room));
  await share(stays);
  await stays.pop().leave();
  await share(stays);
  await ann.api.call('DELETE', `rooms/${room.id}/members/${cleo.user}`);
  await agree([ann, ben], room);
  await ben.says(room, 'without her');
  for (const client of [ann, ben]) await client.until('the archive to have everything', async () => (await client.worker.ask({ op: 'seal_segment', of: { room: room.id, block: 0 }, now_ms: Date.now() }, 'segment')).sealed === null);

  const all = [...said, { place: 'log', bytes: on.server.wholeLog() }, ...filesIn(on.server.data).map(({ place, bytes }) => ({ place: `data folder: ${place}`, bytes }))];
  const kinds = (of) => Object.keys(of).map((name) => name.replace(/ \d+$/, '')).reduce((counts, kind) => ({ ...counts, [kind]: (counts[kind] ?? 0) + 1 }), {});
  console.log(`looked for ${JSON.stringify(kinds(secrets))} in ${all.length} things, ${(all.reduce((sum, { bytes }) => sum + bytes.length, 0) / 2 ** 20).toFixed(1)} MiB; public: ${JSON.stringify(kinds(published))}`);
  assert.deepEqual(Object.keys(kinds(secrets)).sort(), [
    'key of a file', 'key of an epoch of messages', 'key of an identity', 'key of media', 'key of what a browser keeps', 'master key', 'output of a passkey', 'passphrase',
    'private key of a key package', 'private key of a leaf or node', 'recovery code', 'secret of an epoch', 'signing key of a device',
  ]);
  for (const [what, places] of Object.entries(placesOf(all, published))) {
    for (const expected of ['HTTP', 'data folder']) assert.ok(places.some((place) => place.startsWith(expected)), `the ${what} is in ${expected}: ${places.join('; ')}`);
  }
  for (const [what, places] of Object.entries(placesOf(all, secrets))) assert.deepEqual(places, [], `the ${what}`);
  const { found, bytes } = on.server.wordsInMemory({ ...published, ...secrets });
  console.log(`in ${(bytes / 2 ** 20).toFixed(1)} MiB of the server's memory: ${found.join(', ')}`);
  for (const what of Object.keys(published)) assert.ok(found.includes(what), `the ${what} is in the memory`);
  assert.deepEqual(found.filter((what) => what in secrets), [], 'no secret is in a crash dump');
});

// A server that goes on from a backup: what clients have seen since is gone there. They say so, do nothing in its name, and go on once their persons say so.

import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { test } from 'node:test';

import { Chatter } from './lib/chatter.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage(Chatter);

test('after a backup was restored each client tells that the server is behind, and its person goes on: all write and read each other again', async () => {
  const { clients: [ann, ben], room } = await on.people.inRoom(2);
  await agree([ann, ben], room);
  await ann.says(room, 'before');
  await ben.sees(room, 'before');

  const { server } = on;
  const backup = `${server.data}.backup`;
  await server.stop();
  cpSync(server.data, backup, { recursive: true });
  await server.start();
  const guest = await (await on.people.stranger()).start();
  await guest.rooms.join(room.link_code);
  await agree([ann, ben, guest], room);
  await ann.rooms.removeMember(room.id, guest.user);
  guest.stop();
  await agree([ann, ben], room);
  await ann.says(room, 'lost with the server');
  await ben.sees(room, 'lost with the server');

  await server.stop();
  rmSync(server.data, { recursive: true });
  cpSync(backup, server.data, { recursive: true });
  await server.start();
  for (const client of [ann, ben]) {
    await client.until('the older state to be told', async () => {
      await client.keys.account.sync(room.id).catch(() => {});
      return client.keys.account.wrongIn(room.id) === 'rolled_back';
    });
    assert.equal(await client.keys.account.sync(room.id), null, 'nothing is done there');
  }
  for (const client of [ann, ben]) {
    await client.until('the log to be contradicted', async () => {
      await client.keys.account.toSendIn(room.id).catch(() => {});
      return client.keys.logAlarms.some(({ accepted }) => !accepted);
    });
    await client.keys.acceptLog();
    await client.until('to go on', () => client.keys.account.goBack(room.id).then(() => client.keys.account.wrongIn(room.id) === null, () => false));
  }
  await agree([ann, ben], room);
  await ann.says(room, 'here again');
  await ben.sees(room, 'here again');
  await ben.says(room, 'so am I');
  await ann.sees(room, 'so am I');
});

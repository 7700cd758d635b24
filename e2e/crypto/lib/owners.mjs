// A person with rooms and several devices, on the stage of a spec (`people.mjs`): steps that specs of devices share.

import assert from 'node:assert/strict';

import { requestLink } from '../../../web/state/keys/records.js';

/** What links of requests begin with; it is never opened. */
export const ORIGIN = 'https://example.org';

/** Somebody with a device that counts, and rooms of one's own. */
export async function owner(on, rooms = 1) {
  const client = await on.people.stranger();
  await client.start();
  const all = [];
  for (let count = 0; count < rooms; count += 1) all.push(await client.api.call('POST', 'rooms', { name: `Room ${count}`, encryption: 'mls' }));
  await client.rooms.load();
  const account = await client.ready();
  for (const { id } of all) await account.sync(id);
  return { client, rooms: all };
}

/** Another browser of the same person, which nobody vouched for yet. */
export async function secondOf(on, client) {
  const second = on.people.kept(await client.elsewhere());
  await second.until('to be told that it is not vouched for', () => second.keys.asking);
  return second;
}

/** The first vouches for the second as two people's eyes and hands do it. */
export async function vouch(first, second) {
  const { request, code } = await second.keys.asking.request();
  const { devices } = await first.ready();
  const carried = await devices.read(requestLink(request, ORIGIN));
  assert.equal(carried.code, code, 'both show the same');
  await devices.vouch(carried);
  await second.ready();
}

/** This client is told another thing in the slot in which keys are handed over to it: what `shown` gives, or nothing. */
export function keepsBack(client, shown = () => null) {
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    if (init.method !== 'GET' || !/\/e2ee\/backups\/[0-9a-f]{32}$/.test(url.pathname)) return whole(url, init);
    const body = await shown();
    return body === null ? Response.json({ code: 'backup_not_found' }, { status: 404 }) : Response.json({ version: 1, body });
  };
}

/** The code of why not; null: it went. */
export const codeOf = (act) => act.then(() => null, ({ code }) => code);

/** The device of this client, as the worker writes it. */
export const idOf = async (client) => (await client.worker.ask({ op: 'who' }, 'device')).device;

// What was written before anybody looks: posted over the API, at once or through a year that the server lives in a moment.

import { randomUUID } from 'node:crypto';

import { shiftedClock } from './clock.mjs';
import { PASSWORD } from './party.mjs';

/** What a server needs that takes a history at once: people are held to ten messages a second. */
export const WRITES_QUICKLY = { MESSAGES_PER_SECOND: '10000' };
const DAY_MS = 86_400_000;
/** Requests at once: the server writes what is there together. */
const AT_ONCE = 32;

/** Posts messages of one person, many at once and so in no order, and gives their entries. */
export async function post(server, token, room, texts) {
  const entries = [];
  for (let from = 0; from < texts.length; from += AT_ONCE) {
    const some = texts.slice(from, from + AT_ONCE);
    entries.push(...(await Promise.all(some.map((text) => postOne(server, token, room, text)))));
  }
  return entries;
}

function postOne(server, token, room, text) {
  return postBody(server, token, room, { v: 1, type: 'text', text, files: [] });
}

/** Posts a message of any content, as a client would. */
export function postBody(server, token, room, content) {
  const body = Buffer.from(JSON.stringify(content)).toString('base64url');
  return server.request('POST', `rooms/${room.id}/messages`, { token, body: { id: randomUUID(), body } });
}

/** Logs a person in over the API. */
export async function tokenOf(server, username) {
  return (await server.request('POST', 'auth/login', { body: { username, password: PASSWORD } })).access_token;
}

/** The clock of a server so many days ago. */
export function daysAgo(days) {
  return shiftedClock(`-${days}d`);
}

/**
 * Lives through a year: on some days, each of which is so many days ago, the server runs and people write. Ends with the clock right.
 * @param {(day: number) => Promise<void>} live what happens on one of the days
 */
export async function liveThrough(server, days, live) {
  for (const day of days) {
    server.environment = daysAgo(day);
    await server.restart();
    await live(day);
  }
  server.environment = { LD_PRELOAD: '' };
  await server.restart();
}

/** The time so many days ago. */
export const timeAgo = (days) => Date.now() - days * DAY_MS;

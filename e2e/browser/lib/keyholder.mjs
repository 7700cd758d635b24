// Members of a room and of its call without a page, whose keys are those of the client's own modules; and what is opened, with all the keys that
// one of them was ever given, of frames that a tap kept.

import assert from 'node:assert/strict';
import { after } from 'node:test';

import { KeyRing } from '../../../web/e2ee/media/keys.js';
import { openFrame } from '../../../web/e2ee/media/opening.js';
import { builtDesk } from '../../crypto/lib/built.mjs';
import { Stay } from '../../crypto/lib/call.mjs';
import { Client } from '../../crypto/lib/client.mjs';
import { Tap, sealedPart } from './tap.mjs';

/** Of each kind: a second and more. */
const ENOUGH = { video: 20, audio: 60 };

/** Somebody with camera and microphone in an encrypted room, to which there is a `link`, and a recorder for its calls. */
export async function recordedRoom(table) {
  const anna = await table.person('chromium');
  const made = await table.room([anna], { encryption: 'mls' });
  const room = { ...made, link: await table.link(anna, made) };
  return { anna, room, recorder: await Tap.of(table, [room]) };
}

/** For a spec: makes members, each in the room's group and in its call and with keys, who are gone when it ends. */
export function keyholders() {
  const clients = [];
  after(() => clients.forEach((client) => client.stop()));
  return async (table, name, room) => {
    const client = await Client.of(await builtDesk(), table.server, name);
    clients.push(client);
    await client.start();
    const account = await client.ready();
    await client.comesWith(new URL(room.link).hash, room);
    await client.until('to be let in', () => account.sync(room.id));
    const stay = await Stay.of(client, room);
    return client.until('keys of the call', () => stay.epochs.length > 0 && stay);
  };
}

/**
 * How many of these frames a member opens, whoever they are said to be of, with all the keys that they were ever given: by a clock that stands
 * still, and none is forgotten because somebody left, as somebody would do it who keeps all.
 */
export async function opened({ epochs }, frames) {
  const ring = new KeyRing();
  for (const message of epochs) assert.ok(message.type === 'epoch' ? ring.begin({ ...message, removed: [] }, 0) : ring.add(message.epoch, message.member));
  const outcomes = await Promise.all(
    frames.map(({ mimeType, bytes }) => openFrame(ring, { admits: () => true }, { data: bytes.slice().buffer, getMetadata: () => ({ mimeType }) }, 0, () => {})),
  );
  return outcomes.filter((outcome) => typeof outcome !== 'string').length;
}

/** Which epoch's keys a frame is under, as it says itself: the lowest byte of the number. */
export const epochOf = (frame) => sealedPart(frame).epoch;

/** All frames of a person up to now, once there are enough of both kinds that satisfy this. */
export function framesUntil(recorder, person, isWanted) {
  const isEnough = (all) => Object.entries(ENOUGH).every(([kind, least]) => all.filter((frame) => frame.kind === kind && isWanted(frame)).length >= least);
  return recorder.framesOf(person, isEnough);
}

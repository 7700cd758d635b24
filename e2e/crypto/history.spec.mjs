// What a new device of a person reads of what was before it came: all that the person could read, by the archive of keys that the person's devices
// keep with the server under the master key, and nothing more. With the page's own chat and the client's own cryptography against a real server.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { groupId, toServer } from '../../web/state/keys/bytes.js';
import { slotOf } from '../../web/state/keys/slots.js';
import { Chatter } from './lib/chatter.mjs';
import { PASSWORD } from './lib/client.mjs';
import { keepsBack, secondOf, vouch } from './lib/owners.mjs';
import { agree, stage } from './lib/people.mjs';

const on = stage(Chatter);

const person = async () => (await on.people.stranger()).start();

/** So many new people in a new room; the first owns it. */
async function people(count) {
  const owner = await person();
  const room = await owner.api.call('POST', 'rooms', { name: 'Stammtisch', encryption: 'mls' });
  await owner.rooms.load();
  const clients = [owner];
  while (clients.length < count) clients.push(await joined(room));
  await agree(clients, room);
  return { clients, room };
}

async function joined(room) {
  const client = await person();
  await client.rooms.join(room.link_code);
  return client;
}

/** Somebody comes and goes: two epochs at least. */
async function visited(clients, room) {
  const guest = await joined(room);
  const users = [...new Map(clients.map((client) => [client.user, client])).values()];
  await agree([...clients, guest], room, [...users, guest]);
  await guest.rooms.removeMember(room.id, guest.user);
  guest.stop();
  await agree(clients, room, users);
}

/** A recovery code that was written down. */
async function codeOf(client) {
  const { recovery } = await client.ready();
  const { id, code } = await recovery.make();
  await recovery.kept(id);
  return code;
}

/** Another browser of the same person, which entered the code. */
async function restored(client, code, meddle = () => {}) {
  const fresh = on.people.kept(client.other());
  meddle(fresh);
  await fresh.start();
  await (await fresh.until('to be asked for the code', () => fresh.keys.asking)).recover({ kind: 'recovery_code', text: code });
  await fresh.ready();
  return fresh;
}

const slot = (room) => slotOf({ room: room.id, block: 0 });
const segmentOf = (client, room) => client.api.call('GET', `e2ee/backups/${slot(room)}`);
/** Until the archive has all keys of the room that are on this device. */
const archived = (client, room) =>
  client.until('the archive to have everything', async () => (await client.worker.ask({ op: 'seal_segment', of: { room: room.id, block: 0 }, now_ms: Date.now() }, 'segment')).sealed === null);

/** The server gives this instead of the archive of a room. */
function gives(client, room, segment) {
  const whole = client.fetch;
  client.fetch = async (url, init) => {
    const isIt = init.method === 'GET' && url.pathname.endsWith(`/backups/${slot(room)}`);
    return isIt ? new Response(JSON.stringify(segment), { status: 200, headers: { 'content-type': 'application/json' } }) : whole(url, init);
  };
}

const shown = (client, room) => client.seen(room).map(({ text, notice }) => notice ?? text);
const copyOf = async (client, room) => JSON.stringify(await client.browser.copy.entries(room.id, 1, 1_000));

test('t17 a new device reads all that its user could read in many epochs by the recovery code, and nothing from before the user came', async () => {
  const { clients: [ben], room } = await people(1);
  await ben.says(room, 'among ourselves');
  const ann = await joined(room);
  await agree([ben, ann], room);
  await ben.says(room, 'hello ann');
  await visited([ben, ann], room);
  const code = await codeOf(ann);
  await ann.says(room, 'after a visit');
  await visited([ben, ann], room);
  await ben.says(room, 'after another');
  await ann.sees(room, 'after another');
  await archived(ann, room);
  ann.stop();
  const fresh = await restored(ann, code);
  for (const text of ['hello ann', 'after a visit', 'after another']) assert.equal((await fresh.sees(room, text)).mark, null);
  await fresh.until('a row for what was before', () => shown(fresh, room).includes('before'));
  assert.ok(!(await copyOf(fresh, room)).includes('among ourselves'));
  assert.ok((await copyOf(ben, room)).includes('among ourselves'), 'who was there has it');
  await fresh.says(room, 'back again');
  assert.equal((await ben.sees(room, 'back again')).sender, ann.user);
  assert.equal(fresh.keys.account.archiveTrouble(room.id), null);
});

/** A second device of hers, which the first vouches for; `prepare`: before that. */
async function vouchedFor(ann, prepare = () => {}) {
  const second = await secondOf(on, ann);
  prepare(second);
  await vouch(ann, second);
  return second;
}

test('a device that another vouched for shows what was before it came, by what was handed over or else by the code, without a reload', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const code = await codeOf(ann);
  for (const text of ['one', 'two']) await ben.says(room, text);
  await visited([ann, ben], room);
  await ben.says(room, 'three');
  await ann.sees(room, 'three');
  await archived(ann, room);
  const second = await vouchedFor(ann);
  for (const text of ['one', 'two', 'three']) assert.equal((await second.sees(room, text)).sender, ben.user);
  const third = await vouchedFor(ann, keepsBack);
  await agree([ann, ben, second, third], room, [ann, ben]);
  await ben.says(room, 'four');
  await third.sees(room, 'four');
  await third.until('the row of what was before', () => shown(third, room).includes('before'));
  assert.deepEqual((await third.chat.search('two')).results, []);
  await third.keys.account.recovery.enter({ kind: 'recovery_code', text: code });
  for (const text of ['one', 'two', 'three']) assert.equal((await third.sees(room, text)).sender, ben.user);
  assert.deepEqual(shown(third, room), ['one', 'two', 'three', 'four']);
  assert.equal((await third.chat.search('two')).results.length, 1, 'it is found, too');
});

test('two devices of a user that archive at once lose nothing, and a third reads what either came through', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const code = await codeOf(ann);
  await ben.says(room, 'for the first alone');
  await ann.sees(room, 'for the first alone');
  const second = await restored(ann, code);
  await second.sees(room, 'for the first alone');
  ann.stop();
  await visited([second, ben], room);
  await ben.says(room, 'for the second alone');
  await second.sees(room, 'for the second alone');
  const back = on.people.kept(await on.people.reloaded(ann));
  await back.sees(room, 'for the second alone');
  await visited([back, second, ben], room);
  await ben.says(room, 'for both');
  for (const device of [back, second]) await device.sees(room, 'for both');
  for (const device of [back, second]) await archived(device, room);
  const third = await restored(ann, code);
  for (const text of ['for the first alone', 'for the second alone', 'for both']) await third.sees(room, text);
  for (const device of [back, second, third]) assert.equal(device.keys.account.archiveTrouble(room.id), null);
});

test('who was away follows what a device committed that was revoked since, and reads what was written meanwhile', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const second = await restored(ann, await codeOf(ann));
  await agree([ann, ben, second], room, [ann, ben]);
  const { device } = await second.worker.ask({ op: 'who' }, 'device');
  for (const client of [ann, ben]) client.stop();
  const guest = await joined(room);
  await agree([second, guest], room, [second, ben, guest]);
  await second.says(room, 'while you were away');
  const back = await on.people.reloaded(ann);
  await back.sees(room, 'while you were away');
  await (await back.ready()).devices.revoke(device);
  await agree([back, guest], room, [back, ben, guest]);
  const late = await on.people.reloaded(ben);
  assert.equal((await late.sees(room, 'while you were away')).mark, null);
  await back.says(room, 'and now');
  await late.sees(room, 'and now');
  assert.deepEqual(shown(late, room), ['while you were away', 'and now']);
});

test('who was away while somebody came and went reads what was written meanwhile, theirs too, without an archive', async () => {
  const { clients: [ann, ben], room } = await people(2);
  ann.stop();
  const guest = await joined(room);
  await agree([ben, guest], room, [ann, ben, guest]);
  await guest.says(room, 'passing by');
  await ben.sees(room, 'passing by');
  await guest.rooms.removeMember(room.id, guest.user);
  guest.stop();
  const { epoch } = await agree([ben], room, [ann, ben]);
  await ben.says(room, 'while you were away');
  const back = await on.people.reloaded(ann);
  await back.sees(room, 'while you were away');
  assert.equal((await back.sees(room, 'passing by')).sender, guest.user);
  assert.equal(back.anyAccount.lookOf(room.id).epoch, epoch, 'it followed, and did not come in anew');
});

/** Comes into a room while the browser with the keys is away: by the phone, which has none. */
async function joinsAway(client, room) {
  const phone = on.people.kept(client.other());
  await phone.session.login(client.username, PASSWORD);
  await phone.rooms.join(room.link_code);
  phone.stop();
}

test('who was brought into rooms while away reads all from then on, also where those who brought them in are gone', async () => {
  const { clients: [ann] } = await people(1);
  await ann.ready();
  ann.stop();
  const rooms = [];
  for (const name of ['first', 'second', 'third']) {
    const { clients: [ben, guest], room } = await people(2);
    await joinsAway(ann, room);
    await agree([ben, guest], room, [ann, ben, guest]);
    for (const client of [guest, ben]) await client.says(room, `${client.username} in the ${name}`);
    await guest.rooms.removeMember(room.id, guest.user);
    guest.stop();
    await agree([ben], room, [ann, ben]);
    rooms.push({ room, texts: [guest, ben].map(({ username }) => `${username} in the ${name}`) });
  }
  const back = await on.people.reloaded(ann);
  for (const { room, texts } of rooms) for (const text of texts) await back.sees(room, text);
});

test('who was brought in while away reads all from then on, also where a member began anew meanwhile', async () => {
  const { clients: [ben, cleo], room } = await people(2);
  const ann = await person();
  await ann.ready();
  ann.stop();
  await joinsAway(ann, room);
  await agree([ben, cleo], room, [ann, ben, cleo]);
  for (const client of [ben, cleo]) await client.says(room, `${client.username} welcomes`);
  cleo.stop();
  const anew = on.people.kept(cleo.other());
  await anew.start();
  await (await anew.until('to be asked for a way back', () => anew.keys.asking)).beginAnew(PASSWORD);
  await anew.ready();
  await ben.until('the new keys to be seen', async () => (await ben.keys.account.changedIn(room.id)).includes(cleo.user));
  const back = await on.people.reloaded(ann);
  for (const client of [ben, cleo]) await back.sees(room, `${client.username} welcomes`);
});

test('who was put out and brought in again while away reads what was written since', async () => {
  const { clients: [ben, ann], room } = await people(2);
  await ben.says(room, 'before');
  await ann.sees(room, 'before');
  ann.stop();
  await ben.rooms.removeMember(room.id, ann.user);
  await agree([ben], room, [ben]);
  await ben.says(room, 'among ourselves');
  await joinsAway(ann, room);
  await agree([ben], room, [ann, ben]);
  await ben.says(room, 'welcome back');
  const back = await on.people.reloaded(ann);
  await back.sees(room, 'welcome back');
  await back.until('a row for what was between', () => shown(back, room).join() === 'before,before,welcome back');
});

test('who was brought in, put out and brought in again while away reads what was written while they were in', async () => {
  const { clients: [ben], room } = await people(1);
  const ann = await person();
  await ann.ready();
  ann.stop();
  for (const [at, text] of ['the first time', 'the second time'].entries()) {
    await joinsAway(ann, room);
    await agree([ben], room, [ann, ben]);
    await ben.says(room, text);
    if (at > 0) break;
    await ben.rooms.removeMember(room.id, ann.user);
    await agree([ben], room, [ben]);
    await ben.says(room, 'among ourselves');
  }
  const back = await on.people.reloaded(ann);
  await back.sees(room, 'the second time');
  await back.until('all to be looked at', () => shown(back, room).length === 3);
  assert.deepEqual(shown(back, room), ['the first time', 'before', 'the second time']);
});

test('who lost every device and has no way back begins anew: others accept it, and all read each other', async () => {
  const { clients: [ben, ann], room } = await people(2);
  await ben.says(room, 'before');
  await ann.sees(room, 'before');
  await codeOf(ann);
  ann.stop();
  const fresh = on.people.kept(ann.other());
  await fresh.start();
  const asking = await fresh.until('to be asked for a way back', () => fresh.keys.asking);
  await assert.rejects(asking.beginAnew('not the password'), { code: 'wrong_password' });
  await (await fresh.until('to be asked again', () => fresh.keys.asking)).beginAnew(PASSWORD);
  const { recovery } = await fresh.ready();
  assert.equal((await recovery.look()).standing, 'none', 'what opened the old keys is gone');
  await codeOf(fresh);
  const { people: known } = ben.keys.account;
  await ben.until('the new keys to be seen', async () => (await ben.keys.account.changedIn(room.id)).includes(ann.user));
  await known.accept(ann.user, (await known.safetyNumber(ann.user)).identity);
  await agree([ben, fresh], room);
  await ben.says(room, 'welcome');
  await fresh.sees(room, 'welcome');
  await fresh.says(room, 'here again');
  await ben.sees(room, 'here again');
});

test('a new device reads by the archive what somebody wrote who is gone', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const code = await codeOf(ann);
  const guest = await joined(room);
  await agree([ann, ben, guest], room);
  await guest.says(room, 'passing by');
  await ann.sees(room, 'passing by');
  await guest.rooms.removeMember(room.id, guest.user);
  guest.stop();
  await agree([ann, ben], room);
  await archived(ann, room);
  ann.stop();
  const fresh = await restored(ann, code);
  assert.equal((await fresh.sees(room, 'passing by')).sender, guest.user);
});

test('t7 an older archive than the one that was seen is refused and told, and nothing is written over what is there', async () => {
  for (const isOlder of [true, false]) {
    const { clients: [ann, ben], room } = await people(2);
    await codeOf(ann);
    await archived(ann, room);
    const older = await segmentOf(ann, room);
    await visited([ann, ben], room);
    await archived(ann, room);
    const newer = await segmentOf(ann, room);
    assert.ok(newer.version > older.version);
    if (isOlder) gives(ann, room, older);
    await visited([ann, ben], room);
    if (isOlder) {
      await ann.until('the trouble', () => ann.keys.account.archiveTrouble(room.id) === 'rolled_back');
      await ann.says(room, 'one can write all the same');
      await ben.sees(room, 'one can write all the same');
    } else {
      await archived(ann, room);
      assert.equal(ann.keys.account.archiveTrouble(room.id), null, 'the control');
    }
    const there = (await ann.api.call('GET', 'e2ee/backups')).backups.find((each) => each.slot === slot(room));
    assert.equal(there.version > newer.version, !isOlder);
  }
});

test('t7 an archive that was changed, or is of somebody else or of another room, opens nothing on a new device, and the right one does', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const other = await ann.api.call('POST', 'rooms', { name: 'Other', encryption: 'mls' });
  await ann.rooms.load();
  await agree([ann], other);
  const [code] = [await codeOf(ann), await codeOf(ben)];
  await ben.says(room, 'what is there to read');
  await ann.sees(room, 'what is there to read');
  for (const client of [ann, ben]) await archived(client, room);
  await archived(ann, other);
  const right = await segmentOf(ann, room);
  const bytes = Buffer.from(right.body, 'base64url');
  bytes[bytes.length - 1] ^= 1;
  const wrong = {
    tampered: { ...right, body: bytes.toString('base64url') },
    wrong_key: await segmentOf(ben, room),
    'wrong_key ': await segmentOf(ann, other),
    none: right,
  };
  ann.stop();
  for (const [name, segment] of Object.entries(wrong)) {
    const fresh = await restored(ann, code, (client) => gives(client, room, segment));
    if (name === 'none') {
      await fresh.sees(room, 'what is there to read');
      assert.equal(fresh.keys.account.archiveTrouble(room.id), null);
    } else {
      await fresh.until(name, () => fresh.keys.account.archiveTrouble(room.id) === name.trim());
      await fresh.until('the row', () => shown(fresh, room).includes('before'));
      assert.ok(!(await copyOf(fresh, room)).includes('what is there to read'));
    }
    fresh.stop();
  }
});

test('t6 keys that a member sends unasked, to the group or to an inbox, are taken in by nobody', async () => {
  const { clients: [ben], room } = await people(1);
  await ben.says(room, 'among ourselves');
  await codeOf(ben);
  await archived(ben, room);
  const { body } = await segmentOf(ben, room);
  const dora = await joined(room);
  await agree([ben, dora], room);
  await codeOf(dora);
  const device = Buffer.from((await dora.worker.ask({ op: 'who' }, 'device')).device, 'base64').toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const group = { kind: 'room', id: room.id };
  for (const to of [undefined, { user: dora.user, device }]) {
    const { message } = await ben.worker.ask({ op: 'say', group, plaintext: Buffer.from(body, 'base64url').toString('base64') }, 'message');
    await ben.api.call('POST', `e2ee/groups/${groupId(group)}/messages`, { message: toServer(message), ...(to && { to }) });
  }
  await dora.until('the inbox to be empty', async () => (await dora.api.call('GET', `e2ee/inbox?device=${device}`)).items.length === 0);
  await ben.says(room, 'welcome');
  await dora.sees(room, 'welcome');
  const [first] = (await ben.api.call('GET', `rooms/${room.id}/messages?limit=200`)).entries;
  const envelope = Buffer.from(first.body, 'base64url').toString('base64');
  assert.equal(await dora.opens(room, envelope), 'unknown_epoch');
  assert.equal(await ben.opens(room, envelope), 'among ourselves', 'the control');
  assert.ok(!(await copyOf(dora, room)).includes('among ourselves'));
});

test('the archive of a room that was left, or is no more, is gone from the server, and that of another stays', async () => {
  const { clients: [ann, ben], room } = await people(2);
  const other = await ann.api.call('POST', 'rooms', { name: 'Other', encryption: 'mls' });
  const third = await ann.api.call('POST', 'rooms', { name: 'Third', encryption: 'mls' });
  await ann.rooms.load();
  for (const each of [other, third]) await agree([ann], each);
  for (const client of [ann, ben]) await codeOf(client);
  for (const each of [room, other, third]) await archived(ann, each);
  await archived(ben, room);
  const names = async (client) => (await client.api.call('GET', 'e2ee/backups')).backups.map((each) => each.slot);
  await ben.rooms.removeMember(room.id, ben.user);
  await ann.rooms.remove(other.id);
  await ben.until('nothing of it to be there', async () => (await names(ben)).join() === 'unlockers');
  await ann.until('nothing of it to be there', async () => !(await names(ann)).includes(slot(other)));
  assert.deepEqual((await names(ann)).sort(), [slot(room), slot(third), 'unlockers'].sort());
});

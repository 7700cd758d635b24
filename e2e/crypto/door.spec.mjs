// Who comes into a room's group: whom a member gave the link, and whom a person lets in. A server that writes somebody into its list of members, as it can, moves nobody past
// the door: what a newcomer shows of a link it can carry, and can make none.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Chatter } from './lib/chatter.mjs';
import { PASSWORD } from './lib/client.mjs';
import { agree, greetAll, stage } from './lib/people.mjs';

const on = stage(Chatter);

/** Somebody new, whose device counts, and who lets nobody in unasked. */
async function person() {
  const client = await (await on.people.stranger()).start();
  client.letsIn = false;
  await client.ready();
  return client;
}

/** Somebody new with a room of their own. */
async function owner({ strict = false } = {}) {
  const client = await person();
  const room = await client.rooms.create('Stammtisch', { encryption: 'mls', strict });
  await (await client.ready()).sync(room.id);
  return { client, room };
}

/** Whose people are in a room's group, as this client knows it. */
const insideOf = (client, room) => [...new Set(client.keys.account.lookOf(room.id).members.map(({ user }) => user))];

const isAtTheDoor = (client, room, { user }) => client.until('somebody at the door', () => client.keys.account.atTheDoorOf(room.id).includes(user));

/** Nobody else comes in, however often these look. */
async function staysOut(ghost, clients, room) {
  for (const client of clients) {
    await isAtTheDoor(client, room, ghost);
    client.keys.account.up();
    await client.keys.account.sync(room.id);
    assert.deepEqual(insideOf(client, room).sort(), clients.map(({ user }) => user).sort());
  }
  assert.equal(await ghost.keys.account.sync(room.id), null, 'the ghost waits');
}

test('t2 whom the server says to be a member of a room nobody brings in and nothing is sealed for, until a member lets them in; who was given the link comes at once', async () => {
  for (const strict of [false, true]) {
    const { client: ann, room } = await owner({ strict });
    const [ben, ghost] = [await person(), await person()];
    await ben.comesBy(ann, room);
    if (strict) await isAtTheDoor(ann, room, ben);
    if (strict) ann.keys.account.letIn(room.id, [ben.user]);
    await agree([ann, ben], room);
    if (strict) await greetAll([ann, ben], room);

    // What a server would write into its own list: there is no more to it than what the code of a link does.
    await ghost.rooms.join(room.link_code);
    for (const client of [ann, ben]) await isAtTheDoor(client, room, ghost);
    await ann.says(room, 'nobody else reads this');
    await ben.sees(room, 'nobody else reads this');
    await staysOut(ghost, [ann, ben], room);
    assert.deepEqual(ghost.seen(room).filter(({ text }) => text === 'nobody else reads this'), []);

    ben.keys.account.letIn(room.id, [ghost.user]);
    await agree([ann, ben, ghost], room);
    // Ben knows whom he let in; Ann is told, and in a strict room says nothing before she has seen it.
    assert.deepEqual((await Promise.all([ann, ben].map(({ keys }) => keys.account.people.newcomersIn(room.id)))).map((users) => users.includes(ghost.user)), [true, false]);
    await ben.says(room, 'look who is here');
    if (strict) await greetAll([ann], room);
    await ann.says(room, 'now there are three');
    await ghost.sees(room, 'now there are three');
    assert.deepEqual(ann.keys.account.atTheDoorOf(room.id), []);
  }
});

/** What the server tells these clients of what members of a room show, instead. */
function liesAbout(clients, lie) {
  for (const client of clients) {
    const whole = client.fetch;
    client.fetch = async (to, init) => {
      const response = await whole(to, init);
      return to.pathname.endsWith('/invitations') && response.ok ? Response.json(lie(await response.json())) : response;
    };
  }
}

test('t2 whatever the server shows of a link for somebody who was not given it, they wait; and the true one is seen as such', async () => {
  const [{ client: ann, room }, { client: ghost, room: lair }] = [await owner(), await owner()];
  const [ben, cleo] = [await person(), await person()];
  await ben.comesBy(ann, room);
  await agree([ann, ben], room);
  const { invitations: [{ invitation: bens }] } = await ann.api.call('GET', `rooms/${room.id}/invitations`);
  // The ghost may be as inside as may be elsewhere, and the server gives two rooms one code.
  const { invitation: own } = await secretOf(ghost, lair, room.link_code);
  const lies = [bens, own, 'A'.repeat(bens.length), bens.slice(0, -4), `${bens.slice(0, 40)}${'A'.repeat(bens.length - 40)}`];
  let shown = lies[0];
  liesAbout([ann, ben], (answer) => ({ ...answer, invitations: [...answer.invitations.filter(({ user }) => user !== ghost.user), { user: ghost.user, invitation: shown }] }));
  await ghost.rooms.join(room.link_code);
  for (shown of lies) {
    for (const client of [ann, ben]) client.keys.account.roomChanged(room.id);
    await staysOut(ghost, [ann, ben], room);
  }
  await cleo.comesBy(ben, room);
  await agree([ann, ben, cleo], room);
  for (const client of [ann, ben, cleo]) await isAtTheDoor(client, room, ghost);
});

/** What somebody inside a room puts into a link with this code, and what they would show of it. */
async function secretOf(client, room, code) {
  const secret = await client.keys.account.linkTo(room.id, code);
  const invitation = await client.keys.account.invitationBy(secret);
  return { secret, invitation: invitation.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '') };
}

test('t2 a link that was reset, or of somebody who has left, leads to the door, and the one that is good now leads in', async () => {
  const { client: ann, room } = await owner();
  const [ben, cleo, dora] = [await person(), await person(), await person()];
  await ben.comesBy(ann, room);
  await agree([ann, ben], room);
  const { secret: old } = await secretOf(ann, room, room.link_code);
  const now = await ann.rooms.resetLink(room.id);
  await cleo.rooms.join(now.link_code, { secret: old, invitation: await cleo.keys.account.invitationBy(old) });
  await staysOut(cleo, [ann, ben], now);
  // Who stands outside and is given the link that is good comes in by it.
  await cleo.comesBy(ben, now);
  await agree([ann, ben, cleo], now);
  const { secret: bens } = await secretOf(ben, now, now.link_code);
  await ben.rooms.removeMember(room.id, ben.user);
  await agree([ann, cleo], now);
  await dora.rooms.join(now.link_code, { secret: bens, invitation: await dora.keys.account.invitationBy(bens) });
  await staysOut(dora, [ann, cleo], now);
});

test('who came by a link is let in by whoever is there, and gives it on; who has no keys yet shows it once they have', async () => {
  const { client: ann, room } = await owner();
  const [ben, cleo] = [await person(), await on.people.stranger()];
  await ben.comesBy(ann, room);
  await agree([ann, ben], room);
  ann.stop();
  await cleo.session.login(cleo.username, PASSWORD);
  // Nothing is shown yet: neither are her keys there nor is she connected.
  await cleo.comesBy(ben, room);
  assert.deepEqual((await ben.api.call('GET', `rooms/${room.id}/invitations`)).invitations.map(({ user }) => user), [ben.user]);
  await isAtTheDoorOrAbsent(ben, room, cleo);
  cleo.letsIn = false;
  await cleo.rooms.load();
  cleo.socket.connect();
  await agree([ben, cleo], room, [ann, ben, cleo]);
  assert.equal(cleo.rooms.givenFor(room.id), null, 'inside the link is of no more use');
  await ben.says(room, 'welcome');
  await cleo.sees(room, 'welcome');
});

async function isAtTheDoorOrAbsent(client, room, { user }) {
  await client.keys.account.sync(room.id);
  assert.ok(!insideOf(client, room).includes(user));
}

test('t2 whom the server adds to a direct conversation waits there, whoever made it', async () => {
  const [ann, ben, ghost] = [await person(), await person(), await person()];
  // Who they are is known: they share a room.
  const elsewhere = await ann.rooms.create('Elsewhere', { encryption: 'mls', strict: false });
  await ann.keys.account.sync(elsewhere.id);
  for (const client of [ben, ghost]) await client.comesBy(ann, elsewhere);
  const direct = await ann.rooms.openDirect([ben.username], { encryption: 'mls', strict: false });
  await ben.rooms.load();
  await agree([ann, ben], direct);
  for (const client of [ann, ben]) adds(client, direct, ghost);
  for (const client of [ann, ben]) {
    client.keys.account.up();
    await client.keys.account.sync(direct.id);
    assert.deepEqual(insideOf(client, direct).sort(), [ann.user, ben.user].sort());
    assert.deepEqual(client.keys.account.atTheDoorOf(direct.id), [ghost.user]);
  }
});

test('t2 whoever makes a room, and finds somebody there who was faster, does nothing in it; where nobody was, they make its group', async () => {
  const [ann, ghost] = [await person(), await person()];
  let isMade = () => {};
  ann.otherWindow = new Promise((resolve) => (isMade = resolve));
  const room = await ann.rooms.create('Stammtisch', { encryption: 'mls', strict: false });
  // The server has it in its list, and tells it that the room is its own: of a link it comes by, nobody else makes a group.
  await ghost.rooms.join(room.link_code);
  owns(ghost, room);
  await ghost.rooms.load();
  assert.notEqual(await ghost.keys.account.sync(room.id), null);
  ghost.keys.account.letIn(room.id, [ann.user]);
  isMade();
  await ann.until('to be told', async () => (await ann.keys.account.sync(room.id)) === null && ann.keys.account.wrongIn(room.id) === 'not_ours');
  await assert.rejects(ann.keys.account.messages.seal(room.id, crypto.randomUUID(), { content: 'YQ==', seen: null }), { code: 'not_open' });
  assert.equal(await ann.keys.account.linkTo(room.id, room.link_code), null, 'nor does a link of hers lead there');

  const { client: ben, room: own } = await owner();
  assert.deepEqual([insideOf(ben, own), ben.keys.account.wrongIn(own.id)], [[ben.user], null]);
});

/** The server tells this client that a room is theirs. */
function owns(client, { id }) {
  const whole = client.fetch;
  const told = (room) => (room.id === id ? { ...room, role: 'owner' } : room);
  client.fetch = async (to, init) => {
    const response = await whole(to, init);
    if (!response.ok || !/\/rooms(?:\/[\w-]{36})?$/.test(to.pathname)) return response;
    const answer = await response.json();
    return Response.json(answer.rooms === undefined ? told(answer) : { ...answer, rooms: answer.rooms.map(told) });
  };
}

test('who comes by a link before the owner has opened the room waits for them, and makes no group in their place', async () => {
  const [ann, ben] = [await person(), await person()];
  const room = await ann.api.call('POST', 'rooms', { name: 'Stammtisch', encryption: 'mls' });
  await ann.rooms.load();
  await ben.rooms.join(room.link_code);
  assert.equal(await ben.keys.account.sync(room.id), null);
  await ann.keys.account.sync(room.id);
  await isAtTheDoor(ann, room, ben);
  await ben.comesBy(ann, room);
  await agree([ann, ben], room);
});

test('t16, t2 who was removed is not brought in again by what they showed, though the server has it and says that they are back', async () => {
  const { client: ann, room } = await owner();
  const [ben, eve] = [await person(), await person()];
  for (const client of [ben, eve]) await client.comesBy(ann, room);
  await agree([ann, ben, eve], room);
  const { invitations } = await ann.api.call('GET', `rooms/${room.id}/invitations`);
  await ann.rooms.ban(room.id, eve.user);
  await agree([ann, ben], room);
  const before = await ann.api.call('GET', `rooms/${room.id}`);
  const member = { user: eve.user, username: eve.username, role: 'member', joined_at: 1, chat_muted: false };
  for (const client of [ann, ben]) {
    const whole = client.fetch;
    client.fetch = async (to, init) => {
      if (to.pathname.endsWith('/invitations')) return Response.json({ link_code: room.link_code, invitations });
      const response = await whole(to, init);
      if (!response.ok || init?.method !== 'GET' || !to.pathname.endsWith(`/rooms/${room.id}`)) return response;
      return Response.json({ ...(await response.json()), members: [...before.members, member] });
    };
    client.keys.account.up();
    await client.keys.account.sync(room.id);
    assert.deepEqual(insideOf(client, room).sort(), [ann.user, ben.user].sort());
  }
});

/** The server tells this client of one more in a conversation. */
function adds(client, direct, ghost) {
  const whole = client.fetch;
  const member = { user: ghost.user, username: ghost.username, role: 'member', joined_at: 1, chat_muted: false };
  client.fetch = async (to, init) => {
    const response = await whole(to, init);
    if (!response.ok || !to.pathname.endsWith(`/rooms/${direct.id}`)) return response;
    const told = await response.json();
    return Response.json({ ...told, members: [...told.members, member], people: [...told.people, { user: ghost.user, username: ghost.username }] });
  };
}

test('whom a person named comes into the conversation that they made whenever they first sign in, and whoever else is there is not asked', async () => {
  const [ann, ben, cleo] = [await person(), await person(), await on.people.stranger()];
  const direct = await ann.rooms.openDirect([ben.username, cleo.username], { encryption: 'mls', strict: false });
  await ben.rooms.load();
  await agree([ann, ben], direct);
  cleo.letsIn = false;
  await cleo.start();
  await agree([ann, ben, cleo], direct);
  assert.deepEqual([ann, ben, cleo].map(({ keys }) => keys.account.atTheDoorOf(direct.id)), [[], [], []]);
});

test('t2 whom the server has in a conversation from its beginning and does not show in it waits there, or is told of where they were there first', async () => {
  for (const [isHidden, isFirst] of [[false, false], [true, false], [true, true]]) {
    const [ann, ben, ghost] = [await person(), await person(), await person()];
    if (isHidden) for (const client of [ann, ben]) hides(client, ghost.user);
    let isMade = () => {};
    (isFirst ? ann : ghost).otherWindow = new Promise((resolve) => (isMade = resolve));
    // As the server may write it: whom Ann named, it does not keep to.
    const room = await ann.api.call('POST', 'direct', { usernames: [ben.username, ghost.username], encryption: 'mls', strict: false });
    for (const client of [ann, ben, ghost]) await client.rooms.load();
    await (isFirst ? ghost : ann).keys.account.sync(room.id);
    isMade();
    const isInside = isFirst || !isHidden;
    await agree(isInside ? [ann, ben, ghost] : [ann, ben], room);
    if (!isInside) await staysOut(ghost, [ann, ben], room);
    const told = await Promise.all([ann, ben].map(({ keys }) => keys.account.people.newcomersIn(room.id)));
    assert.deepEqual(told, isFirst ? [[ghost.user], [ghost.user]] : [[], []]);
  }
});

/** The server shows this client conversations without somebody, who is a member of them all the same. */
function hides(client, user) {
  const whole = client.fetch;
  const shown = ({ people, ...room }) => ({ ...room, people: people.filter((each) => each.user !== user) });
  client.fetch = async (to, init) => {
    const response = await whole(to, init);
    if (!response.ok || !/\/(?:direct|rooms(?:\/[\w-]{36})?)$/.test(to.pathname)) return response;
    const told = await response.json();
    return Response.json(told.rooms === undefined ? shown(told) : { ...told, rooms: told.rooms.map(shown) });
  };
}

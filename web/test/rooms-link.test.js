// What a link promises of its room, in the part of the address that no server sees.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ApiError } from '../net/api.js';
import { RoomsStore, promiseOf, promisedIn, secretIn } from '../state/rooms.js';

const SECRET = 'Ab_-'.repeat(32);

test('t8 whoever comes by a link that says encrypted joins no room of which the server says that it is not, though they never saw it', async () => {
  const rooms = [['open', false], ['mls', false], ['mls', true]].map(([encryption, strict]) => ({ id: 'r', name: 'Stammtisch', encryption, strict }));
  for (const [hash, good] of [['', [0, 1, 2]], ['#encrypted', [1, 2]], ['#strict', [2]], ['#open', [0, 1, 2]], [`#encrypted.${SECRET}`, [1, 2]], ['#encrypted.cut', [1, 2]], ['#encrypted.', [1, 2]]]) {
    for (const [at, room] of rooms.entries()) {
      const asked = [];
      const api = { call: async (method, path) => (asked.push(path), { ...room }) };
      const store = new RoomsStore(api);
      const behind = store.behind('code', promisedIn(hash));
      if (good.includes(at)) {
        assert.deepEqual(await behind, room);
        assert.deepEqual(promisedIn(promiseOf(room)), [null, 'encrypted', 'strict'][at]);
      } else {
        await assert.rejects(behind, { code: 'link_contradicted' });
        // Whoever wrote that into a link takes no room away from anybody.
        assert.deepEqual(await store.details('r'), room);
      }
    }
  }
});

test('what the person was shown of a room before they joined holds, whatever is answered then', async () => {
  const answers = [{ id: 'r', name: 'Stammtisch', encryption: 'mls', strict: true }, { id: 'r', name: 'Stammtisch', encryption: 'open', strict: false }];
  const store = new RoomsStore({ call: async () => ({ ...answers.shift() }) }, null);
  await store.behind('code', 'strict');
  const { encryption, strict } = await store.join('code');
  assert.deepEqual([encryption, strict], ['mls', true]);
});

test('what stands in a link for those inside is read whole or not at all, and of a strict room there is nothing', () => {
  const [open, encrypted, strict] = [['open', false], ['mls', false], ['mls', true]].map(([encryption, strict]) => ({ encryption, strict }));
  assert.equal(promiseOf(encrypted, SECRET), `#encrypted.${SECRET}`);
  assert.deepEqual([promiseOf(open, SECRET), promiseOf(strict, SECRET)], ['', '#strict']);
  assert.equal(secretIn(promiseOf(encrypted, SECRET)), SECRET);
  for (const none of ['', '#encrypted', '#encrypted.', '#strict', `#strict.${SECRET}`, `#encrypted.${SECRET}x`, `#encrypted.${SECRET.slice(1)}`, `#encrypted.${SECRET.slice(1)}+`, `#encrypted.${SECRET.slice(1)}\n`]) assert.equal(secretIn(none), null, none);
});

test('what stood in the link is shown as one joins or kept until one is inside, over a reload, the newest alone', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const id = '01890000-0000-8000-8000-00000000000a';
  const asked = [];
  const api = { call: async (method, path, body) => (asked.push(body), { id, name: 'Stammtisch', in_call: 0, encryption: 'mls', strict: false }) };
  const store = () => new RoomsStore(api, storage);
  const given = [];
  const rooms = store();
  rooms.addEventListener('given', ({ detail }) => given.push(detail.room));
  await rooms.join('code');
  assert.deepEqual([rooms.givenFor(id), given], [null, []]);
  await rooms.join('code', { secret: 'other'.padEnd(128, '-'), invitation: null });
  await rooms.join('code', { secret: SECRET, invitation: 'a+/=' });
  assert.deepEqual(asked, [{ code: 'code' }, { code: 'code' }, { code: 'code', invitation: 'a-_' }], 'as the server writes bytes');
  const bytes = 'Ab/+'.repeat(32);
  assert.deepEqual([rooms.givenFor(id), store().givenFor(id), given], [bytes, bytes, [id, id]], 'and as the worker does');
  rooms.inside(id);
  assert.deepEqual([rooms.givenFor(id), store().givenFor(id)], [null, null]);
});

const memory = () => {
  const kept = new Map();
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
};
const ID = '01890000-0000-8000-8000-00000000000a';
const toldOf = (more = {}) => ({ id: ID, name: 'Stammtisch', in_call: 0, encryption: 'mls', strict: false, kind: 'room', people: [], link_code: 'one', ...more });

test('t2 a room that the person has just made is new until they are inside, and no server makes a conversation of it', async () => {
  const storage = memory();
  let answer = toldOf({ kind: 'direct', people: [{ user: 'me' }, { user: 'ghost' }] });
  const store = () => new RoomsStore({ call: async () => ({ ...answer, members: [] }) }, storage);
  const rooms = store();
  await rooms.create('Stammtisch', { encryption: 'mls', strict: false });
  assert.deepEqual([rooms.isNew(ID), store().isNew(ID), rooms.isDirect(ID), await rooms.shownIn(ID)], [true, true, false, null]);
  rooms.inside(ID);
  assert.deepEqual([rooms.isNew(ID), store().isNew(ID)], [false, false]);
  for (const came of [(other) => other.join('code'), (other) => other.details(ID).then(() => other.refresh(ID))]) {
    answer = toldOf();
    const other = new RoomsStore({ call: async () => ({ ...answer, members: [] }) });
    await came(other);
    answer = toldOf({ kind: 'direct', people: [{ user: 'me' }, { user: 'ghost' }] });
    await other.refresh(ID);
    assert.deepEqual([other.isDirect(ID), await other.shownIn(ID)], [false, null]);
  }
  const direct = new RoomsStore({ call: async () => ({ ...answer, members: [] }) });
  await direct.refresh(ID);
  assert.deepEqual(await direct.shownIn(ID), ['me', 'ghost'], 'the control');
});

test('t2 of a link that was replaced nothing counts, whatever the server says the code is, and a link that is not replaced is told', async () => {
  const storage = memory();
  let code = 'one';
  const api = { call: async (method, path) => (path.endsWith('/invitations') ? { link_code: code, invitations: [{ user: 'boris', invitation: 'AA' }] } : toldOf({ link_code: code, members: [] })) };
  const store = () => new RoomsStore(api, storage);
  const [rooms, shown] = [store(), [{ user: 'boris', invitation: 'AA==' }]];
  await rooms.refresh(ID);
  assert.deepEqual((await rooms.invitationsIn(ID)).shows, shown);
  await assert.rejects(rooms.resetLink(ID), { code: 'bad_answer' });
  code = 'two';
  await rooms.resetLink(ID);
  assert.deepEqual((await rooms.invitationsIn(ID)).shows, shown);
  code = 'one';
  for (const each of [rooms, store()]) assert.deepEqual((await each.invitationsIn(ID)).shows, [], 'over a reload, too');
  code = 'three';
  assert.deepEqual((await rooms.invitationsIn(ID)).shows, shown, 'one that nobody saw before is the newest');
});

test('t2 whom the person names is named for a conversation that is made, and for none that was seen before, nor under other names', async () => {
  const named = async ({ seen = {}, members = ['me', 'boris'], usernames = ['boris'] }) => {
    const told = toldOf({ kind: 'direct', members: members.map((user) => ({ user, username: user })) });
    const api = { user: { username: 'me' }, call: async (method, path) => ({ ...told, ...(method === 'GET' && !path.startsWith('rooms/') ? {} : seen) }) };
    const rooms = new RoomsStore(api);
    if (seen.kind !== undefined) await rooms.refresh(ID);
    await rooms.openDirect(usernames, { encryption: 'mls', strict: false });
    return rooms.expectedIn(ID);
  };
  assert.deepEqual(await named({}), ['me', 'boris'], 'the control');
  assert.deepEqual(await named({ seen: { kind: 'room' } }), [], 'a room that was there');
  assert.deepEqual(await named({ seen: { kind: 'direct' } }), [], 'a conversation that was there');
  assert.deepEqual(await named({ members: ['me', 'ghost'] }), [], 'somebody else under that name');
  assert.deepEqual(await named({ usernames: ['boris', 'clara'] }), ['me', 'boris'], 'who is missing is not there');
});

test('t2 who was expected is not any more once they are removed, nobody is when another signs in, and no window brings back what another dropped', async () => {
  const storage = memory();
  const store = () => new RoomsStore({ call: async () => toldOf({ members: [] }) }, storage);
  const [rooms, other] = [store(), store()];
  await rooms.join('code', { secret: SECRET });
  rooms.expect(ID, ['boris', 'clara']);
  assert.deepEqual([rooms.returningTo(ID), other.returningTo(ID)], [['boris', 'clara'], ['boris', 'clara']]);
  await rooms.removeMember(ID, 'boris');
  other.expect(ID, ['dora']);
  await other.ban(ID, 'dora');
  assert.deepEqual([rooms.returningTo(ID), other.returningTo(ID), store().returningTo(ID)], [['clara'], ['clara'], ['clara']]);
  rooms.forget();
  assert.notEqual(other.givenFor(ID), null, 'a window that learns late that its session is over takes nothing from the next');
  rooms.leaveNothing();
  assert.deepEqual([other.returningTo(ID), other.givenFor(ID)], [[], null]);
});

test('of the links to rooms nothing stays in the browser once nobody is signed in, and those to open ones are never kept', async () => {
  const kept = new Map();
  const storage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  let answer = toldOf({ link_code: 'of the encrypted one', members: [] });
  const rooms = new RoomsStore({ call: async () => answer }, storage);
  const said = () => [...kept.values()].join(' ');
  await rooms.join('code', { secret: SECRET });
  assert.ok(said().includes('of the encrypted one') && said().includes(SECRET), 'the control');
  const open = '01890000-0000-7000-8000-00000000000b';
  answer = toldOf({ id: open, encryption: 'open', link_code: 'of the open one', members: [] });
  await rooms.refresh(open);
  rooms.leaveNothing();
  for (const word of ['of the encrypted one', 'of the open one', SECRET]) assert.ok(!said().includes(word), word);
});

test('t2 the server does not make a browser forget that it has just made a room, and a flood of codes brings no old one back', async () => {
  const storage = memory();
  let answer = async () => toldOf({ members: [] });
  const rooms = new RoomsStore({ call: async (...asked) => answer(...asked) }, storage);
  await rooms.create('Stammtisch', { encryption: 'mls', strict: false });
  answer = async () => {
    throw new ApiError('room_not_found', 404);
  };
  await rooms.refresh(ID);
  rooms.leaveNothing();
  assert.ok(rooms.isNew(ID));
  answer = async () => toldOf({ members: [] });
  await rooms.setRole(ID, 'boris', 'owner');
  assert.ok(!rooms.isNew(ID), 'whose room it is not any more');

  answer = async () => ({ rooms: Array.from({ length: 4_100 }, (_, at) => toldOf({ link_code: `code ${at}` })) });
  await rooms.refresh(ID).catch(() => {});
  await rooms.load();
  answer = async () => ({ link_code: 'one', invitations: [{ user: 'ghost', invitation: 'AA' }] });
  assert.deepEqual((await rooms.invitationsIn(ID)).shows, []);
});

// Who comes into a room's group, and who waits at its door.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { KeysRefused } from '../e2ee/keys/page.js';
import { ApiError } from '../net/api.js';
import { ME, OTHER, roomOf } from './room-world.js';

test('t2_whom_the_server_adds_to_a_strict_room_nobody_brings_in_before_a_person_lets_them_in_and_to_another_they_come_at_once', async () => {
  const claim = async (users) => users.map((user) => ({ user, keyPackage: 'p' }));
  const another = roomOf({ claim });
  assert.deepEqual([(await another.room.sync()).members.map(({ user }) => user), another.room.atTheDoor], [[ME, OTHER], []], 'the control');

  const { room, asked, greeted } = roomOf({ claim, isStrict: true });
  for (let time = 0; time < 3; time += 1) {
    room.reachAgain();
    assert.deepEqual([(await room.sync()).members.map(({ user }) => user), room.atTheDoor], [[ME], [OTHER]], 'however often the server says so');
  }
  assert.ok(!asked.includes('change'));
  room.letIn([OTHER]);
  assert.deepEqual([(await room.sync()).members.map(({ user }) => user), room.atTheDoor], [[ME, OTHER], []]);
  assert.deepEqual(greeted, [OTHER], 'whom the person let in is no news to them');
});

test('t2_who_was_let_in_and_left_is_let_in_anew', async () => {
  let members = [ME, OTHER];
  const { room, leave } = roomOf({ claim: async (users) => users.map((user) => ({ user, keyPackage: 'p' })), isStrict: true, members: async () => members });
  room.letIn([OTHER]);
  await room.sync();
  // Once more with them inside: what was let in is used up.
  await room.sync();
  leave();
  assert.deepEqual([(await room.sync()).members.map(({ user }) => user), room.atTheDoor], [[ME], [OTHER]]);
  members = [ME];
  await room.sync();
  assert.deepEqual(room.atTheDoor, [], 'who is no member any more waits for nothing');
});

test('t2_who_was_named_when_a_conversation_was_made_is_brought_in_and_whom_the_server_adds_is_not', async () => {
  const claim = async (users) => users.map((user) => ({ user, keyPackage: 'p' }));
  for (const [expected, atTheDoor] of [[[ME, OTHER], []], [[ME], [OTHER]]]) {
    const { room, leave } = roomOf({ claim, isStrict: true, expected });
    await room.sync();
    assert.deepEqual(room.atTheDoor, atTheDoor);
    leave();
    await room.sync();
    assert.deepEqual(room.atTheDoor, [OTHER], 'once: whoever leaves and comes back is let in anew');
  }
});

test('t2_who_was_named_comes_into_the_group_that_was_made_for_them_and_not_into_one_that_was_found', async () => {
  const claim = async (users) => users.map((user) => ({ user, keyPackage: 'p' }));
  const named = [ME, OTHER];
  const made = roomOf({ claim, inside: false, info: async () => null, create: async () => true, isStrict: true, named });
  const found = roomOf({ claim, inside: false, isStrict: true, named });
  const inside = roomOf({ claim, isStrict: true, named });
  for (const [{ room }, atTheDoor] of [[made, []], [found, [OTHER]], [inside, [OTHER]]]) {
    assert.notEqual(await room.sync(), null);
    assert.deepEqual(room.atTheDoor, atTheDoor);
  }
});

test('t2_who_was_let_in_and_was_removed_before_they_came_is_let_in_anew_and_who_stood_first_stays_first', async () => {
  let members = [ME, OTHER];
  const { room } = roomOf({ isStrict: true, members: async () => members });
  room.letIn([OTHER]);
  members = [ME];
  await room.sync();
  members = [ME, OTHER];
  await room.sync();
  assert.deepEqual(room.atTheDoor, [OTHER]);
  members = ['ghost', ME, OTHER];
  await room.sync();
  assert.deepEqual(room.atTheDoor, [OTHER, 'ghost']);
});


const all = async (users) => users.map((user) => ({ user, keyPackage: 'p' }));
const inside = async ({ room }) => [(await room.sync()).members.map(({ user }) => user), room.atTheDoor];

test('t2_into_a_room_comes_who_was_given_its_link_and_whom_the_server_adds_waits_for_a_person', async () => {
  const guest = roomOf({ claim: all });
  assert.deepEqual(await inside(guest), [[ME, OTHER], []], 'the control');
  assert.deepEqual(guest.inviting, [{ room: 'room', code: 'c', shows: [{ user: OTHER, invitation: `of ${OTHER}` }] }]);

  const ghost = roomOf({ claim: all, invited: [] });
  for (let time = 0; time < 3; time += 1) {
    ghost.room.reachAgain();
    assert.deepEqual(await inside(ghost), [[ME], [OTHER]], 'however often the server says so');
  }
  assert.ok(!ghost.asked.includes('change'));
  ghost.room.letIn([OTHER]);
  assert.deepEqual(await inside(ghost), [[ME, OTHER], []]);
  assert.deepEqual(ghost.greeted, [OTHER]);
});

test('t2_of_a_strict_room_nobody_asks_who_was_given_a_link_and_of_who_shows_nothing_neither', async () => {
  const strict = roomOf({ claim: all, isStrict: true });
  assert.deepEqual(await inside(strict), [[ME], [OTHER]]);
  const silent = roomOf({ claim: all, shows: [] });
  assert.deepEqual(await inside(silent), [[ME], [OTHER]]);
  assert.deepEqual([strict.inviting, silent.inviting], [[], []]);
  const expected = roomOf({ claim: all, invited: [], expected: [OTHER] });
  assert.deepEqual(await inside(expected), [[ME, OTHER], []], 'whom the person named as they made it');
});

test('t2_whoever_is_alone_in_a_direct_conversation_brings_in_whom_they_are_shown_and_nobody_who_is_added_to_it_later', async () => {
  const members = async () => [ME, OTHER, 'ghost'];
  const alone = roomOf({ claim: all, shown: [ME, OTHER], invited: [], members });
  assert.deepEqual(await inside(alone), [[ME, OTHER], ['ghost']]);
  assert.equal(alone.inviting.length, 1, 'asked about once they are two');
  for (const other of [{ made: false }, { ever: [OTHER] }]) {
    assert.deepEqual(await inside(roomOf({ claim: all, shown: [ME, OTHER], invited: [], ...other })), [[ME], [OTHER]], 'who did not begin it, or was not alone always');
  }
  const two = roomOf({ claim: all, shown: [ME, OTHER, 'ghost'], invited: [], members, present: [ME, OTHER] });
  assert.deepEqual(await inside(two), [[ME, OTHER], ['ghost']]);
});

test('who_was_inside_under_keys_that_count_no_more_comes_back_without_waiting_but_into_a_strict_room', async () => {
  for (const [isStrict, expected] of [[false, [[ME, OTHER], []]], [true, [[ME], [OTHER]]]]) {
    let members = [ME, OTHER];
    const world = roomOf({ claim: all, isStrict, invited: [], present: [ME, OTHER], stale: [1], members: async () => members });
    assert.deepEqual(await inside(world), expected);
    world.leave();
    members = [ME];
    await world.room.sync();
    members = [ME, OTHER];
    assert.deepEqual(await inside(world), [[ME], [OTHER]], 'who has left is let in anew');
  }
});

test('whoever_stands_outside_shows_what_stood_in_their_link_once_and_forgets_it_inside', async () => {
  const shown = [];
  const show = async (...what) => void shown.push(what);
  const outside = { inside: false, given: 'secret', show };
  const uninvited = async () => {
    throw new ApiError('uninvited', 422);
  };
  const waiting = roomOf({ ...outside, info: uninvited });
  for (let time = 0; time < 2; time += 1) {
    assert.equal(await waiting.room.sync(), null);
    waiting.room.reachAgain();
  }
  assert.deepEqual(shown.splice(0), [['room', 'shown of secret']]);
  assert.equal(waiting.given(), 'secret');
  const entering = roomOf(outside);
  await entering.room.sync();
  assert.deepEqual([shown.length, entering.given()], [1, null]);
  const nothing = roomOf({ ...outside, given: null });
  await nothing.room.sync();
  assert.equal(shown.length, 1);
});

test('a_link_that_is_none_leads_to_the_door_and_what_cannot_be_shown_for_the_moment_is_shown_another_time', async () => {
  for (const [error, isOver] of [[new KeysRefused('malformed'), true], [new ApiError('room_not_found', 404), true], [new ApiError('busy', 503), false], [new ApiError('rate_limited', 429, 1), false]]) {
    let asked = 0;
    const show = async () => {
      asked += 1;
      throw error;
    };
    const { room } = roomOf({ inside: false, given: 'secret', show, info: async () => { throw new ApiError('uninvited', 422); } });
    for (let time = 0; time < 2; time += 1) {
      assert.equal(await room.sync().catch(({ code }) => code), isOver ? null : error.code);
      room.reachAgain();
    }
    assert.equal(asked, isOver ? 1 : 2);
  }
});

test('what is shown is asked for once as long as nothing changes, and whoever is inside goes on where it cannot be had', async () => {
  const world = roomOf({ claim: all, invited: [] });
  for (let time = 0; time < 3; time += 1) assert.deepEqual(await inside(world), [[ME], [OTHER]]);
  assert.equal(world.inviting.length, 1);
  world.room.reachAgain();
  await world.room.sync();
  assert.equal(world.inviting.length, 2);
  for (const [error, expected] of [[new ApiError('rate_limited', 429, 1), [[ME], [OTHER]]], [new ApiError('not_found', 404), [[ME], [OTHER]]], [new ApiError('busy', 503), 'busy']]) {
    const failing = roomOf({ claim: all, shows: Promise.reject(error) });
    assert.deepEqual(await inside(failing).catch(({ code }) => code), expected);
  }
});

test('t2_in_a_room_that_was_just_made_with_others_in_it_nothing_is_done_before_the_person_decides', async () => {
  const world = roomOf({ claim: all, present: [ME, 'ghost'], isNew: true });
  for (let time = 0; time < 2; time += 1) assert.deepEqual([await world.room.sync(), world.room.wrong, world.room.atTheDoor], [null, 'not_ours', []]);
  assert.ok(!world.asked.includes('change'));
  const own = roomOf({ claim: all, isNew: true });
  assert.deepEqual([await inside(own), own.room.wrong], [[[ME, OTHER], []], null], 'the control');
});

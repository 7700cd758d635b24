/** Whom a text mentions: `@username` of somebody who is in the room, without regard to case. Pure. */

/** @import { Person } from './interface.js' */

import { MAX_MENTIONS } from './body.js';

/** Usernames have 3 to 32 of these characters; before the @ stands none of them, so that an address of mail is no mention. */
const MENTION = /(?<![A-Za-z0-9_.@-])@([A-Za-z0-9_.-]{3,33})/g;

/**
 * @param {string} text
 * @param {readonly Person[]} people
 * @returns {string[]} users, each once
 */
export function mentionsIn(text, people) {
  const byName = new Map(people.map(({ user, username }) => [username.toLowerCase(), user]));
  const users = new Set();
  for (const [, found = ''] of text.matchAll(MENTION)) {
    const user = [...endings(found.toLowerCase())].map((name) => byName.get(name)).find((each) => each !== undefined);
    if (user !== undefined) users.add(user);
    if (users.size === MAX_MENTIONS) break;
  }
  return [...users];
}

/** The name as it stands, then without the full stops and dashes behind it: "ask @anna." @param {string} name */
function* endings(name) {
  yield name;
  for (let end = name.length; /[.\-_]/.test(name[end - 1] ?? ''); end -= 1) yield name.slice(0, end - 1);
}

/** Windows on an encrypted room, and who writes into it, for the tests of `sealed-log.js` and `sealed-sender.js`. No test itself. */

import { FakeDesk, FakeKeys, sealedBy } from './chat-keys.js';
import { FakeBrowser, FakeServer, ME, ROOM, quiet, textBody, uuid } from './chat-server.js';

let made = 5_000;
/** The id that a message of any writer gets after so many others. */
export const nextId = (others) => uuid(made + others);

/** Somebody's messages, each following the one before. */
export function writer(server, user) {
  let previous = null;
  return (text, { epoch = 1, quietly = false, sender = user } = {}) => {
    const id = uuid(made++);
    const { body, hash } = sealedBy(user, id, textBody(text), { epoch, previous });
    previous = hash;
    return server.post(sender, body, { id, quietly });
  };
}

/** A window on an encrypted room. */
export async function opened(context, { server = new FakeServer(), browser = new FakeBrowser(), desk = new FakeDesk(ME), status = 'ready', connect = true, device = {} } = {}) {
  if (server.rooms.size === 0) server.addRoom(ROOM, { encryption: 'mls' });
  const keys = Object.assign(new FakeKeys(desk), { status });
  const window = await browser.open(server, { keys, connect, device });
  context.after(() => window.close());
  return { ...window, server, browser, desk, keys, room: window.chat.conversation(ROOM) };
}

export const texts = (room) => room.slice(0, room.length).map(({ text, notice }) => notice ?? text);
export const kept = (server) => server.rooms.get(ROOM).entries;
export const ops = (desk, ...wanted) => desk.asked.filter((each) => wanted.includes(each.split(' ')[0]));

/** The server lies about what is asked so. */
export function answersOf(server, which, lie) {
  const honest = server.call.bind(server);
  server.call = async (method, path, body) => {
    const answer = await honest(method, path, body);
    return which.test(`${method} ${path}`) ? lie(answer) : answer;
  };
}

/** Waits for what takes many steps, if it comes. */
export async function long(holds) {
  for (let tries = 0; tries < 40 && !holds(); tries += 1) await quiet(2_000);
}

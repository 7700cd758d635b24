// A person who chats, without pages: the client of `client.mjs` with the page's own chat, whose local copy lasts as long as the browser's keys.

import { MemoryStorage } from '../../../web/state/chat/storage-memory.js';
import { ChatStore } from '../../../web/state/chat/store.js';
import { Client } from './client.mjs';

/** By the states of a browser: its local copy, and its locks. */
const browsers = new WeakMap();

class Browser {
  copy = new MemoryStorage();
  #locks = new Map();

  exclusively(name, act) {
    const turn = (this.#locks.get(name) ?? Promise.resolve()).then(act);
    this.#locks.set(name, turn.catch(() => {}));
    return turn;
  }
}

export class Chatter extends Client {
  constructor(...all) {
    super(...all);
    if (!browsers.has(this.states)) browsers.set(this.states, new Browser());
    this.browser = browsers.get(this.states);
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const exclusively = (name, act) => this.browser.exclusively(name, act);
    const device = { open: async () => this.browser.copy, forgetAllBut: async () => {}, channel: () => null, exclusively, pause, now: () => Date.now(), random: Math.random };
    this.chat = new ChatStore(this.api, this.socket, this.session, this.rooms, device, this.keys);
  }

  stop() {
    super.stop();
    this.session.ended();
  }

  /** A room, once it is there. */
  in(room) {
    return this.until('the conversation', () => this.chat.conversation(room.id));
  }

  /** What is shown of a room. */
  seen(room) {
    const conversation = this.chat.conversation(room.id);
    return conversation?.slice(0, conversation.length) ?? [];
  }

  /** Waits until this is shown. */
  async sees(room, text) {
    return this.until(`"${text}"`, () => this.seen(room).find((message) => message.text === text && message.state === 'sent'));
  }

  /** Writes, and waits until the server has it. */
  async says(room, text, more = {}) {
    const id = await (await this.in(room)).send({ text, ...more });
    await this.until(`"${text}" to be sent`, () => this.chat.conversation(room.id).find(id)?.state === 'sent');
    return id;
  }

  /** What the worker of its keys makes of an envelope: the text, or why there is none. Nothing else is asked. */
  async opens(room, envelope) {
    const opened = this.worker.ask({ op: 'read_message', room: room.id, envelope }, 'opened');
    return opened.then(({ content }) => JSON.parse(Buffer.from(content, 'base64').toString()).text, ({ code }) => code);
  }
}

// A tour through every page and state, for whoever wants to look at each: `look(name)` is called once what there is to see is there.
//
// The visitor owns one room, is a moderator in another where Anna sits in the call, and a member of a third that Anna locks.

import { choose, openChat, row, type } from './chat.mjs';
import { sees } from './eyes.mjs';
import { post, postBody } from './history.mjs';
import { ownParticipant, PASSWORD } from './party.mjs';
import { words } from './words.mjs';

/** Somebody who is banned from the visitor's room. */
const BANNED = 'zacharias';

export class Tour {
  /** @param look called with the name of a state: the visitor's page stands in it */
  constructor(table, visitor, anna, look) {
    Object.assign(this, { table, page: visitor, anna, look, server: table.server });
  }

  async goto(path) {
    await this.page.goto(`${this.server.url}${path}`);
  }

  /** Looks at a state once this is there. */
  async at(name, selector) {
    await this.page.see(selector);
    await this.look(name);
  }

  async closeDialog() {
    await this.page.key('Escape');
    await this.page.seeGone('dialog[open]');
  }

  async everything() {
    await this.outside();
    await this.nothingThere();
    await this.furnish();
    await this.conversations();
    await this.order();
    await this.chat();
    await this.settings();
    await this.beforeTheCall();
    await this.call();
  }

  async outside() {
    const { page } = this;
    await this.goto('/login');
    await this.at('log in', '[data-page="login"]');
    await page.fill('username', page.username);
    await page.fill('password', 'not the password');
    await page.click('login');
    await this.at('log in, refused', '[role="alert"]:not([hidden])');
    await this.goto('/register');
    await this.at('register', '[data-page="register"]');
    await page.fill('username', 'x');
    await page.click('register');
    await this.at('register, refused', '[role="alert"]:not([hidden])');
  }

  async nothingThere() {
    const { page, server, table } = this;
    const { user, access_token } = await server.register(page.username, PASSWORD);
    Object.assign(this, { user });
    page.token = access_token;
    await table.signIn(page, page.username);
    await this.at('rooms, none', '[data-page="rooms"] .empty');
    this.hall = await table.room([this.anna], { name: 'Stammtisch' });
    await this.goto(`/join/${this.hall.link_code}`);
    await this.at('invitation', '[data-action="join-room"]');
    await page.click('join-room');
    await page.see('[data-page="prejoin"]');
    await this.goto('/join/abcdefabcdefabcdefabcd');
    await this.at('dead link', '[data-page="join"] h1');
    await this.goto('/rooms/0192f0c1-2b3c-7d4e-8f50-617283940506');
    await this.at('room not found', '[data-page="room-missing"]');
    await page.evaluate(() => {
      history.pushState(null, '', '/nowhere');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    await this.at('page not found', '[data-page="not-found"]');
  }

  /** What others have written and done, over the API. */
  async furnish() {
    const { page, server, anna, hall, table } = this;
    const ask = (method, path, token, body) => server.request(method, path, { token, body });
    await ask('PATCH', `rooms/${hall.id}/members/${this.user.id}`, anna.token, { role: 'moderator' });
    const text = (content, more = {}) => postBody(server, anna.token, hall, { v: 1, type: 'text', text: content, files: [], ...more });
    const first = await text('Hello, look: https://example.org/a/long/address');
    const second = await text(`@${page.username} are you there?`, { reply_to: first.id, mentions: [this.user.id] });
    await postBody(server, anna.token, hall, { v: 1, type: 'edit', of: second.id, text: `@${page.username} are you here?`, mentions: [this.user.id] });
    for (const token of [anna.token, page.token]) await postBody(server, token, hall, { v: 1, type: 'reaction', to: first.id, emoji: '👍', on: true });
    const gone = await text('a slip');
    await ask('DELETE', `rooms/${hall.id}/messages/${gone.id}`, anna.token);
    await postBody(server, anna.token, hall, { v: 9, type: 'of another time' });
    for (const { id } of [first, second]) await ask('PUT', `rooms/${hall.id}/pins/${id}`, anna.token);
    await post(server, page.token, hall, ['my own words']);
    Object.assign(this, { first, second });

    this.locked = await table.room([anna, page], { name: 'Montagsrunde' });
    const boris = { token: (await server.register(BANNED, PASSWORD)).access_token };
    this.own = await table.room([page, anna, boris], { name: 'Besprechung der Arbeitsgruppe für Nahverkehr und Radwege' });
    const { members } = await ask('GET', `rooms/${this.own.id}`, page.token);
    await ask('PUT', `rooms/${this.own.id}/bans/${members.find(({ username }) => username === BANNED).user}`, page.token);
    await ask('PATCH', `rooms/${this.own.id}`, page.token, { topic: 'what is to be done', slow_mode_s: 60 });
  }

  async conversations() {
    const { page, own, locked } = this;
    await openChat(this.table, page, own);
    await this.at('conversation, empty', '.chat-empty:not([hidden])');
    await type(page, 'half a thought');
    await this.goto('/');
    await page.see('.draft-mark');
    await this.at('rooms', '[data-page="rooms"] .unread-count');
    await page.pressNamed('searchbox', words(page, 'chat.search_all'));
    await page.type('hello');
    await this.at('rooms, searched', '.found');
    await this.goto('/');
    await page.click('new-direct');
    await this.at('new direct message', 'dialog[open] input');
    await this.closeDialog();
    await page.click('delete-room', `[data-room="${own.id}"]`);
    await this.at('question before deleting', 'dialog[open] [data-action="confirm"]');
    await this.closeDialog();
    await page.click('copy-link', `[data-room="${locked.id}"]`);
    await this.at('note', '.toast');
  }

  async order() {
    const { page, own, locked } = this;
    await this.goto('/');
    await page.click('room-details', `[data-room="${own.id}"]`);
    await page.see('dialog [data-banned]');
    await this.at('room details, owner', 'dialog .member');
    await page.click('member-menu', 'dialog');
    await this.at('menu of a member', 'dialog .menu:popover-open');
    await page.key('Escape');
    await page.click('audit', 'dialog');
    await this.at('audit', '.acts .act');
    await this.closeDialog().catch(() => {});
    await this.goto('/');
    await page.click('room-details', `[data-room="${locked.id}"]`);
    await this.at('room details, member', 'dialog .member');
    await this.closeDialog();
  }

  async chat() {
    const { page, hall, first, second } = this;
    await openChat(this.table, page, hall);
    await page.see('.pins-bar:not([hidden])');
    await this.at('conversation', row(second.id));
    await page.press(row(first.id), 'right');
    await this.at('menu of a message', '.menu.placed');
    await page.key('Escape');
    await choose(page, first.id, 'chat.react');
    await this.at('picker of emoji', '.emoji-picker');
    await page.key('Escape');
    await choose(page, second.id, 'chat.history');
    await this.at('earlier versions', 'dialog .history');
    await this.closeDialog();
    await page.click('all-pins');
    await this.at('pinned messages', 'dialog .found-list');
    await this.closeDialog();
    await choose(page, first.id, 'chat.reply');
    await type(page, 'yes :thumbs');
    await this.at('answering, with suggestions', '.completion:not([hidden])');
    await page.key('Tab');
    await page.evaluate(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['plan'], 'plan.txt', { type: 'text/plain' }));
      document.querySelector('.messages').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    });
    await page.seeNamed('button', `${words(page, 'chat.remove_file')}: plan.txt`);
    await this.at('file to be sent', '.attachments li');
    await page.click('send');
    await this.at('conversation with a file', '.file-card');
    await page.click('search');
    await page.type('hello');
    await this.at('search', '.found');
    await page.type(' nothing of the kind');
    await page.seeGone('.found');
    await this.at('search, nothing found', '.search-panel .hint:not([hidden])');
    await this.server.request('PATCH', `rooms/${this.locked.id}`, { token: this.anna.token, body: { locked: true } });
    await openChat(this.table, page, this.locked);
    await type(page, 'may I?');
    await page.key('Enter');
    const reasons = ['error.room_locked', 'order.locked_now'].map((key) => words(page, key));
    await page.waitFor('the reason', (texts) => texts.some((text) => document.querySelector('.chat-body').innerText.includes(text)), [reasons]);
    await this.look('conversation where one may not write');
  }

  async settings() {
    await this.goto('/settings');
    await this.at('settings', '[data-session]');
    await this.goto('/diagnostics');
    await this.at('connection test', '[data-page="diagnostics"]');
  }

  async beforeTheCall() {
    const { page, hall } = this;
    await this.goto(`/rooms/${hall.id}`);
    await page.waitFor('the own picture', () => document.querySelector('.preview video')?.videoWidth > 0);
    await page.press('summary');
    await this.at('before the call', 'details[open]');
    await page.evaluate(() => sessionStorage.setItem('webcall-test.denied', 'yes'));
    await page.reload();
    await this.at('before the call, without devices', '[data-problem] ~ [data-problem]');
    await page.evaluate(() => sessionStorage.removeItem('webcall-test.denied'));
  }

  async call() {
    const { page, anna, hall, table } = this;
    await table.join([page], hall);
    await this.at('call, alone', '[data-banner="alone"]');
    await table.join([anna], hall);
    await sees(page, anna);
    await this.look('call');
    await anna.click('toggle-camera');
    await anna.key('h');
    await page.see(`[data-tile][data-username="${anna.username}"][data-camera="off"]`);
    await page.click('participants');
    await page.see('#participants [data-hand="up"]');
    await this.at('call with its people', '#participants:not([hidden])');
    await page.click('close-participants');
    await page.click('chat');
    await this.at('call with the chat', '#call-chat article');
    await page.click('close-chat');
    await page.click('reactions');
    await this.at('call, hand and reactions', '#reactions:popover-open');
    await page.key('Escape');
    for (const [action, selector] of [['help', 'dialog .shortcuts'], ['details', 'dialog .fact'], ['devices', 'dialog select']]) {
      await page.click('more');
      if (action === 'help') await this.at('call, menu', '.menu:popover-open');
      await page.click(action);
      await this.at(`call, ${action}`, selector);
      await this.closeDialog();
    }
    await page.click('encryption');
    await this.at('call, about encryption', 'dialog p');
    await this.closeDialog();
    await page.click('toggle-screen');
    await this.at('call, sharing', '[data-banner="sharing"]');
    await page.click('toggle-screen');
    await anna.click('participants');
    await anna.click('mute-microphone', `[data-participant="${await ownParticipant(page)}"]`);
    await this.at('call, muted by a moderator', '[data-banner="muted-microphone"]');
    await page.click('leave');
    await this.at('call, ended', '[data-page="ended"]');
    await anna.click('leave');
  }
}

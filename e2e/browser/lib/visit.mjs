// One visitor's way through every page and state, with a picture of each. Room by room of the house: a new state of a page gets its
// picture here.

import { join } from 'node:path';

import { sees } from './eyes.mjs';
import { inCall, ownParticipant, PASSWORD } from './party.mjs';

const LONG_NAME = 'Besprechung der Arbeitsgruppe für Nahverkehr und Radwege im Bezirk';

export class Visit {
  /**
   * @param page of somebody not signed in yet
   * @param options `people` who sit in the first of `rooms`, whose owner has the list of participants open
   */
  constructor(table, page, { people, rooms, folder, tag, size }) {
    Object.assign(this, { table, page, people, rooms, folder, tag, size, server: table.server });
    page.username = `visitor.${Math.random().toString(36).slice(2, 8)}`;
  }

  async everything() {
    await this.beforeLogIn();
    await this.nothingThere();
    await this.roomsAndSettings();
    await this.connectionTest();
    await this.beforeTheCall();
    await this.aloneInACall();
    await this.inTheCall();
    await this.moderated();
    await this.brokenConnection();
    await this.removed();
  }

  async goto(path) {
    await this.page.goto(`${this.server.url}${path}`);
  }

  /** A picture of the window once `selector` is there and two frames with it are painted. */
  async shoot(what, selector) {
    await this.page.see(selector);
    await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(null)))));
    await this.page.screenshot(join(this.folder, `${what}-${this.tag}.png`));
  }

  /** The same of a page that is longer than its window: in a window that is long enough, since some parts keep to its edge. */
  async shootWhole(what, selector) {
    const { page } = this;
    const [width, height] = this.size;
    await page.see(selector);
    const whole = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.resize(width, Math.max(height, whole));
    await this.shoot(what, selector);
    await page.resize(width, height);
  }

  async closeDialog() {
    await this.page.evaluate(() => document.querySelector('dialog[open]').close());
    await this.page.seeGone('dialog');
  }

  async beforeLogIn() {
    const { page } = this;
    await this.goto('/login');
    await this.shoot('login', '[data-page="login"]');
    await page.fill('username', page.username);
    await page.fill('password', 'not the password');
    await page.click('login');
    await this.shoot('login-wrong', '[role="alert"]:not([hidden])');
    await this.goto('/register');
    await this.shootWhole('register', '[data-page="register"]');
    await page.fill('username', 'x');
    await page.fill('password', PASSWORD);
    await page.fill('registration_secret', 'guess');
    await page.click('register');
    await this.shootWhole('register-wrong', '[role="alert"]:not([hidden])');
  }

  async nothingThere() {
    const { page, server, table } = this;
    const { user, access_token } = await server.register(page.username, PASSWORD);
    page.token = access_token;
    this.user = user;
    await table.signIn(page, page.username);
    await this.shootWhole('rooms-none', '[data-page="rooms"] .empty');
    await this.goto(`/join/${this.rooms[0].link_code}`);
    await this.shoot('join', '[data-action="join-room"]');
    await this.goto('/join/abcdefabcdefabcdefabcd');
    await this.shoot('join-dead-link', '[data-page="join"] h1');
    await this.goto('/rooms/0192f0c1-2b3c-7d4e-8f50-617283940506');
    await this.shoot('room-missing', '[data-page="room-missing"]');
    // Inside the pages only: asked for such an address, the server answers by itself.
    await page.evaluate(() => {
      history.pushState(null, '', '/nowhere');
      window.dispatchEvent(new PopStateEvent('popstate'));
    });
    await this.shoot('not-found', '[data-page="not-found"]');
  }

  async roomsAndSettings() {
    const { page, server, rooms, people } = this;
    for (const room of rooms) await server.request('POST', 'rooms/join', { token: page.token, body: { code: room.link_code } });
    // The owner of the room they all sit in lets the visitor moderate it.
    const role = { token: people[0].token, body: { role: 'moderator' } };
    await server.request('PATCH', `rooms/${rooms[0].id}/members/${this.user.id}`, role);
    const own = await this.table.room([page, ...people], LONG_NAME);
    await this.goto('/');
    await this.shootWhole('rooms', `[data-room="${own.id}"]`);
    await page.click('copy-link', `[data-room="${own.id}"]`);
    await this.shoot('rooms-toast', '.toast');
    await page.evaluate(() => document.querySelector('.toast button').click());
    await page.click('room-details', `[data-room="${own.id}"]`);
    await this.shoot('room-details', 'dialog .member');
    await this.closeDialog();
    await page.click('delete-room', `[data-room="${own.id}"]`);
    await this.shoot('room-delete', 'dialog [data-action="confirm"]');
    await this.closeDialog();
    await page.click('leave-room', `[data-room="${rooms[2].id}"]`);
    await this.shoot('room-leave', 'dialog [data-action="confirm"]');
    await this.closeDialog();
    await this.goto('/settings');
    await this.shootWhole('settings', '[data-page="settings"] [data-session]');
  }

  async connectionTest() {
    const { page } = this;
    await this.goto('/diagnostics');
    await this.shootWhole('diagnostics', '[data-page="diagnostics"]');
    await page.click('start-test');
    await page.waitFor('the returned picture', () => document.querySelector('.echo-picture:not([hidden])')?.videoWidth > 0);
    await this.shootWhole('diagnostics-running', '[data-step="echo"][data-state="running"]');
    await this.shootWhole('diagnostics-done', '[data-sent="sent"]');
    await page.evaluate(() => sessionStorage.setItem('webcall-test.denied', 'yes'));
    await page.click('start-test');
    await this.shootWhole('diagnostics-denied', '.verdict[data-verdict="devices"] [data-sent="sent"]');
    await page.evaluate(() => sessionStorage.removeItem('webcall-test.denied'));
    await page.click('copy-report');
    await this.shoot('diagnostics-copied', '.toast');
    await page.evaluate(() => document.querySelector('.toast button').click());
  }

  async beforeTheCall() {
    const { page, rooms } = this;
    await this.goto(`/rooms/${rooms[0].id}`);
    await page.see('[data-page="prejoin"]');
    await page.waitFor('the own picture', () => document.querySelector('.preview video').videoWidth > 0);
    await this.shoot('prejoin', '[data-page="prejoin"] select');
    await page.evaluate(() => document.querySelector('summary').click());
    await this.shootWhole('prejoin-more', 'details[open]');
    await page.evaluate(() => document.querySelector('summary').click());
    await page.click('toggle-camera');
    await page.click('toggle-microphone');
    await this.shoot('prejoin-off', '[data-action="toggle-camera"][data-state="off"]');
    await page.click('toggle-camera');
    await page.click('toggle-microphone');
    await page.evaluate(() => sessionStorage.setItem('webcall-test.denied', 'yes'));
    await page.reload();
    await this.shootWhole('prejoin-denied', '[data-problem] ~ [data-problem]');
    await page.evaluate(() => sessionStorage.removeItem('webcall-test.denied'));
  }

  /** In a room of somebody who deletes it. */
  async aloneInACall() {
    const { page, people, server, table } = this;
    const room = await table.room([people[0], page], { name: 'Abschied' });
    await table.join([page], room);
    await this.shoot('call-alone', '[data-banner="alone"]');
    await server.request('DELETE', `rooms/${room.id}`, { token: people[0].token });
    await this.shoot('ended-room-gone', '[data-reason="room_gone"]');
  }

  async inTheCall() {
    const { page, people, rooms, table } = this;
    const [anna, boris, clara] = people;
    await table.join([page], rooms[0]);
    for (const person of people) await sees(page, person);
    await this.shoot('call', '.tile.speaking');
    await page.click('participants');
    await this.shoot('call-participants', '#participants:not([hidden]) [data-action="mute-camera"]');
    await page.click('close-participants');
    await boris.click('toggle-camera');
    await clara.click('toggle-microphone');
    await page.click('toggle-camera');
    await page.click('toggle-microphone');
    await page.see(`[data-tile][data-username="${boris.username}"][data-camera="off"]`);
    await page.see(`[data-tile][data-username="${clara.username}"][data-microphone="off"]`);
    await this.shoot('call-off', '[data-tile][data-own][data-camera="off"]');
    await boris.click('toggle-camera');
    await clara.click('toggle-microphone');
    await page.click('toggle-camera');
    await page.click('toggle-microphone');
    await page.click('more');
    await this.shoot('call-menu', '.menu:popover-open');
    await page.click('help');
    await this.shoot('call-help', 'dialog .shortcuts');
    await this.closeDialog();
    await page.click('more');
    await page.click('details');
    // The second numbers are the first with rates.
    await page.waitFor('rates', () => /[1-9]\d* (?:kbit|кбит)/.test(document.querySelector('dialog')?.textContent));
    await this.shoot('call-details', 'dialog .fact');
    await this.closeDialog();
    await page.click('more');
    await page.click('devices');
    await this.shoot('call-devices', 'dialog select');
    await this.closeDialog();
    await page.click('encryption');
    await this.shoot('call-encryption', 'dialog p');
    await this.closeDialog();
    await anna.click('toggle-screen');
    await sees(page, anna, { kind: 'screen' });
    await this.shoot('call-screen', '[data-tile][data-kind="screen"]');
    await anna.click('toggle-screen');
    await page.seeGone('[data-tile][data-kind="screen"]');
    await page.click('toggle-screen');
    await this.shoot('call-sharing', '[data-banner="sharing"]');
    await page.click('toggle-screen');
    await page.seeGone('[data-banner="sharing"]');
  }

  /** What a moderator does, to somebody and to the visitor. */
  async moderated() {
    const { page, people } = this;
    const [anna, boris] = people;
    const theirs = `[data-participant="${await ownParticipant(boris)}"]`;
    await page.click('participants');
    await page.click('mute-camera', theirs);
    await this.shoot('call-participants-muted', `${theirs} [data-action="allow-camera"]`);
    await page.click('allow-camera', theirs);
    await page.seeGone(`${theirs} [data-action="allow-camera"]`);
    await page.click('remove-participant', theirs);
    await this.shoot('call-remove', 'dialog [data-action="confirm"]');
    await this.closeDialog();
    await page.click('close-participants');
    await boris.see('[data-action="toggle-camera"][data-forbidden="false"]');
    await boris.click('toggle-camera');

    const mine = `[data-participant="${await ownParticipant(page)}"]`;
    await anna.click('mute-microphone', mine);
    await anna.click('mute-camera', mine);
    await this.shoot('call-muted-by-moderator', '[data-banner="muted-microphone"] ~ [data-banner="muted-camera"]');
    await anna.click('allow-microphone', mine);
    await anna.click('allow-camera', mine);
    await page.seeGone('[data-banner^="muted"]');
  }

  /** The whole server goes for a moment: everybody returns by themselves. */
  async brokenConnection() {
    const { page, people, server } = this;
    await server.stop();
    await this.shoot('call-reconnecting', '[data-page="call"][data-connection="reconnecting"]');
    await server.start();
    for (const each of [page, ...people]) await inCall(each);
  }

  async removed() {
    const { page, people, rooms, table } = this;
    await page.click('leave');
    await this.shoot('ended', '[data-page="ended"]');
    await table.join([page], rooms[0]);
    await people[0].click('remove-participant', `[data-participant="${await ownParticipant(page)}"]`);
    await people[0].click('confirm', 'dialog');
    await this.shoot('ended-removed', '[data-reason="removed"]');
  }
}

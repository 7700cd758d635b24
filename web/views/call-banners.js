/** What a person in a call must know now: the connection is gone, the server is overloaded, the browser blocks the sound, a moderator muted them, they share. */

/** @import { App } from './page.js' */
/** @import { Child } from '../ui/dom.js' */

import { errorText, t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { el, fill, listen } from '../ui/dom.js';
import { iconButton } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { toast } from '../ui/toast.js';

/** @typedef {'microphone' | 'camera' | 'screen'} Moderated */
/** @typedef {'sound' | `muted-${Moderated}` | 'sharing' | 'alone' | 'blocked' | 'overload'} BannerName */

export class Banners {
  #app;
  #acts;
  /** @type {Map<BannerName, HTMLElement>} */
  #shown = new Map();

  /**
   * @param {App} app
   * @param {{ soundOn: () => void, invite: () => void }} acts
   * @param {AbortSignal} signal
   */
  constructor(app, acts, signal) {
    this.#app = app;
    this.#acts = acts;
    this.element = el('div', { class: 'banners' });
    listen(app.call, 'notice', ({ detail }) => this.#notice(detail.code, detail.source), signal);
    listen(app.call, ['mine', 'people'], () => this.#follow(), signal);
    listen(app.call, 'status', () => this.#statusChanged(), signal);
    listen(app.call, 'left_out', () => this.#leftOut(), signal);
  }

  /** The browser refused to play: only a click helps. */
  soundBlocked() {
    const turnOn = () => {
      this.#hide('sound');
      this.#acts.soundOn();
    };
    this.#show('sound', icon('speaker'), el('span', {}, t('call.sound_blocked')), el('button', { class: 'button primary', type: 'button', data: { action: 'sound-on' }, on: { click: turnOn } }, t('call.sound_on')));
  }

  /**
   * @param {string} code
   * @param {string | null} source
   */
  #notice(code, source) {
    const visible = /** @type {Moderated | null} */ (source === 'screen_audio' ? 'screen' : source);
    if (code === 'muted_by_moderator' && visible) {
      const text = t(`muted.${visible}`);
      const close = iconButton({ icon: 'close', label: t('common.close'), action: 'close-banner', class: 'small', click: () => this.#hide(`muted-${visible}`) });
      this.#show(`muted-${visible}`, icon(`${visible}-off`), el('span', {}, text), close);
      announce(text);
    } else if (code === 'allowed_by_moderator' && visible) {
      this.#hide(`muted-${visible}`);
      if (source !== 'screen_audio') toast(t(`allowed.${visible}`));
    } else if (code === 'media_blocked') {
      // In a window of its own: leaving this page would leave the call.
      const diagnose = el('a', { class: 'button', href: '/diagnostics', target: '_blank', rel: 'noopener', data: { action: 'diagnose' } }, t('settings.diagnose'));
      this.#show('blocked', icon('warning'), el('span', {}, errorText({ code })), diagnose);
    } else {
      const device = source === 'microphone' || source === 'camera' ? `${t(`device.${source}`)}: ` : '';
      toast(device + errorText({ code }), 'problem');
    }
  }

  #follow() {
    const { call } = this.#app;
    if (call.isOn('screen')) {
      const stop = el('button', { class: 'button', type: 'button', data: { action: 'stop-sharing' }, on: { click: () => void call.toggle('screen') } }, t('call.screen_off'));
      if (!this.#shown.has('sharing')) this.#show('sharing', icon('screen'), el('span', {}, t('call.sharing')), stop);
    } else this.#hide('sharing');
    if (call.roster.count === 1) {
      const invite = el('button', { class: 'button', type: 'button', data: { action: 'copy-link' }, on: { click: this.#acts.invite } }, icon('link'), t('rooms.copy_link'));
      if (!this.#shown.has('alone')) this.#show('alone', el('span', {}, el('b', {}, t('call.alone')), ` ${t('call.alone_hint')}`), invite);
    } else this.#hide('alone');
  }

  #leftOut() {
    const { leftOut } = this.#app.call;
    if (leftOut === 'nothing') return this.#hide('overload');
    const text = t(`overload.${leftOut}`);
    this.#show('overload', icon('warning'), el('span', {}, text));
    announce(text);
  }

  #statusChanged() {
    if (this.#app.call.status === 'connected') this.#hide('blocked');
  }

  /**
   * @param {BannerName} name
   * @param {Child[]} content
   */
  #show(name, ...content) {
    this.#hide(name);
    const banner = el('div', { class: 'banner', data: { banner: name } });
    fill(banner, ...content);
    this.#shown.set(name, banner);
    this.element.append(banner);
  }

  /** @param {BannerName} name */
  #hide(name) {
    this.#shown.get(name)?.remove();
    this.#shown.delete(name);
  }
}

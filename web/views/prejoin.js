/**
 * Before the call: how one looks and sounds, which devices, and the way in. Joining works without any device. Beside it the conversation,
 * where the window is wide enough; else a press away.
 */

/** @import { App } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */
/** @import { CodecChoice } from '../rtc/codecs.js' */
/** @import { DeviceName } from '../state/media.js' */

import { errorText, t } from '../i18n/index.js';
import { sendableCodecs } from '../rtc/codecs.js';
import { measureLevel } from '../rtc/level.js';
import { el, fill, listen } from '../ui/dom.js';
import { choice } from '../ui/form.js';
import { icon } from '../ui/icons.js';
import { avatar } from './avatar.js';
import { deviceChoices } from './device-choices.js';
import { chatView } from './chat/chat-view.js';
import { keysBannersInCall } from './keys/banner.js';
import { unreadMark } from './chat/unread-mark.js';
import { titleOf } from './conversation.js';
import { encryptionBadge } from './encryption.js';
import { framedWhole, heading } from './page.js';

/** Often enough to move with a voice. With each frame of the screen it cost a seventh of a core, most of what the page does. */
const METER_EVERY_MS = 80;

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 * @param {{ join: () => void, chat: () => void }} acts
 */
export function prejoinView(app, room, signal, { join, chat }) {
  void app.media.start();
  const button = el('button', { class: 'button primary wide', type: 'button', data: { action: 'join-call' }, on: { click: join } }, t('prejoin.join'));
  const there = room.in_call > 0 ? t('rooms.in_call', { count: room.in_call }) : t('prejoin.nobody');
  const panel = el(
    'section',
    { class: 'prejoin-panel stack' },
    ...(room.encryption === 'mls' ? [keysBannersInCall(app, room, signal)] : []),
    el('div', {}, heading(titleOf(app, room)), el('p', { class: 'room-facts' }, el('span', {}, there), encryptionBadge(room.encryption))),
    deviceChoices(app, signal),
    moreOptions(app),
  );
  const toChat = el('button', { class: 'button wide to-chat', type: 'button', data: { action: 'to-chat' }, on: { click: chat } }, icon('chat'), t('chat.title'), unreadMark(app, room.id, signal));
  const prejoin = el('div', { class: 'prejoin' }, preview(app, signal), panel, el('div', { class: 'prejoin-join' }, toChat, button));
  const beside = chatView(app, room, { heading: el('h2', {}, t('chat.title')), buttons: [] }, signal);
  return framedWhole(app, 'prejoin', el('div', { class: 'room-split' }, prejoin, el('div', { class: 'beside' }, beside.element)));
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
function preview(app, signal) {
  const video = el('video', { class: 'mirrored', playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: '-1' });
  video.muted = true;
  const cover = el('div', { class: 'preview-cover' }, avatar(app.session.user?.username ?? ''), el('p', {}));
  const meter = levelMeter(app, signal);
  const problems = el('div', { class: 'stack', role: 'status' });
  const toggles = el('div', { class: 'preview-toggles' }, toggle(app, 'microphone', signal), toggle(app, 'camera', signal));
  const draw = () => {
    const { track, on } = app.media.camera;
    const shown = video.srcObject instanceof MediaStream ? (video.srcObject.getVideoTracks()[0] ?? null) : null;
    if (shown !== track) video.srcObject = track ? new MediaStream([track]) : null;
    cover.hidden = on;
    fill(/** @type {Element} */ (cover.lastElementChild), app.preferences.get('cameraState') === 'on' && !app.media.camera.error ? t('prejoin.starting') : t('prejoin.camera_off'));
    fill(problems, problem(app, 'microphone'), problem(app, 'camera'), app.media.microphone.error && app.media.camera.error ? el('p', { class: 'hint' }, t('prejoin.without_devices')) : null);
  };
  listen(app.media, 'change', draw, signal);
  draw();
  return el('div', { class: 'prejoin-preview stack' }, el('div', { class: 'preview' }, video, cover, toggles, meter), problems);
}

/**
 * @param {App} app
 * @param {DeviceName} name
 * @param {AbortSignal} signal
 */
function toggle(app, name, signal) {
  const button = el('button', { class: 'round', type: 'button', data: { action: `toggle-${name}` } });
  const draw = () => {
    const { on } = app.media[name];
    const label = t(/** @type {const} */ (`call.${name}_${on ? 'off' : 'on'}`));
    fill(button, icon(on ? name : `${name}-off`));
    button.title = label;
    button.setAttribute('aria-label', label);
    button.dataset['state'] = on ? 'on' : 'off';
  };
  button.addEventListener('click', () => void app.media.set(name, app.media[name].on ? 'off' : 'on'));
  listen(app.media, 'change', draw, signal);
  draw();
  return button;
}

/**
 * @param {App} app
 * @param {DeviceName} name
 */
function problem(app, name) {
  const { error } = app.media[name];
  return error && el('p', { class: 'problem', data: { problem: error } }, icon('warning'), el('span', {}, el('b', {}, t(`device.${name}`)), `: ${errorText({ code: error })}`));
}

/**
 * @param {App} app
 * @param {AbortSignal} signal
 */
function levelMeter(app, signal) {
  const bar = el('div', { class: 'level', role: 'meter', 'aria-label': t('prejoin.level'), 'aria-valuemin': '0', 'aria-valuemax': '100', 'aria-valuenow': '0' }, el('span', {}));
  let measuring = new AbortController();
  /** @type {MediaStreamTrack | null} */
  let track = null;
  /** @param {() => number} level */
  const drawLevel = (level) => {
    const { signal: ends } = measuring;
    const look = () => {
      const percent = Math.round(level() * 100);
      if (bar.getAttribute('aria-valuenow') === String(percent) || document.visibilityState !== 'visible') return;
      bar.style.setProperty('--level', String(percent / 100));
      bar.setAttribute('aria-valuenow', String(percent));
    };
    const timer = setInterval(look, METER_EVERY_MS);
    ends.addEventListener('abort', () => clearInterval(timer), { once: true });
  };
  const follow = () => {
    const { on, track: now } = app.media.microphone;
    bar.hidden = !on;
    if (now === track) return;
    measuring.abort();
    measuring = new AbortController();
    track = now;
    if (now) drawLevel(measureLevel(now, measuring.signal));
  };
  listen(app.media, 'change', follow, signal);
  signal.addEventListener('abort', () => measuring.abort());
  follow();
  return bar;
}

/** @param {App} app */
function moreOptions(app) {
  const codecs = sendableCodecs(RTCRtpSender.getCapabilities?.('video')?.codecs ?? []);
  const options = [{ value: 'automatic', text: t('prejoin.codec_automatic') }, ...codecs.map((value) => ({ value, text: value === 'H264' ? 'H.264' : value }))];
  return el(
    'details',
    {},
    el('summary', {}, t('prejoin.more')),
    choice({ label: t('prejoin.codec'), name: 'codec', options, value: app.preferences.get('codec'), changed: (value) => app.preferences.set('codec', /** @type {CodecChoice} */ (value)) }),
    el('p', { class: 'hint' }, t('prejoin.codec_hint')),
  );
}

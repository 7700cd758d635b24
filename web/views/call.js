/** The call as a person sees it: puts stage, sound, banners, list and controls together. The state is all in `CallStore`. */

/** @import { App } from './page.js' */
/** @import { RoomWithMembers } from '../api.js' */
/** @import { Key } from '../i18n/index.js' */

import { t } from '../i18n/index.js';
import { announce } from '../ui/announce.js';
import { el, listen } from '../ui/dom.js';
import { Banners } from './call-banners.js';
import { keysBannersInCall } from './keys/banner.js';
import { openDetails, openDevices, openHelp } from './call-dialogs.js';
import { chatPanel } from './chat/chat-panel.js';
import { controls } from './controls.js';
import { titleOf } from './conversation.js';
import { callLock } from './encryption.js';
import { participantsPanel } from './participants.js';
import { copyLink } from './room-acts.js';
import { SeatAudio } from './seat-audio.js';
import { Stage } from './stage.js';

/** More news than this at once is only counted in the list. */
const FLOOD_PEOPLE = 12;

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 * @param {() => void} left
 */
export function callView(app, room, signal, left) {
  const invite = () => void copyLink(app, room);
  const banners = new Banners(app, { soundOn: () => audio.play(), invite }, signal);
  if (room.encryption === 'mls') banners.element.append(keysBannersInCall(app, room, signal));
  const audio = new SeatAudio(app, () => banners.soundBlocked(), signal);
  const stage = new Stage(app, signal);
  /** @param {'participants' | 'chat'} name */
  const toggle = (name) => {
    const shown = panels[name].hidden;
    // One beside the stage at a time: two would leave it no room.
    for (const each of /** @type {const} */ (['participants', 'chat'])) {
      panels[each].hidden = each !== name || !shown;
      root.querySelector(`[data-action=${each}]`)?.setAttribute('aria-expanded', String(!panels[each].hidden));
    }
    const next = shown ? panels[name].querySelector(name === 'chat' ? 'textarea' : 'h2') : root.querySelector(`[data-action=${name}]`);
    /** @type {HTMLElement | null} */ (next)?.focus();
  };
  const panels = {
    participants: participantsPanel(app, { close: () => toggle('participants'), invite }, signal),
    chat: chatPanel(app, room, () => toggle('chat'), signal),
  };
  for (const name of /** @type {const} */ (['participants', 'chat'])) closeByEscape(panels[name], () => toggle(name), signal);
  const leave = () => {
    app.call.leave();
    left();
  };
  const fullscreen = () => void (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.())?.catch(() => {});
  const acts = { participants: () => toggle('participants'), chat: () => toggle('chat'), leave, help: openHelp, details: () => openDetails(app), devices: () => openDevices(app), fullscreen };
  const root = el(
    'main',
    { id: 'content', class: 'call', data: { page: 'call', room: room.id } },
    callHeader(app, room, signal),
    banners.element,
    stage.element,
    panels.participants,
    panels.chat,
    controls(app, room.id, acts, signal),
    audio.element,
  );
  followStatus(app, root, signal);
  listen(app.call, 'people', ({ detail }) => tellNews(app, detail.news), signal);
  listen(app.call, 'hand', ({ detail }) => announce(t('hand.raised_by', detail)), signal);
  listen(app.call, 'reaction', ({ detail }) => app.call.roster.count <= FLOOD_PEOPLE && announce(`${detail.name}: ${detail.emoji}`), signal);
  keepRoomFresh(app, room, root, signal);
  signal.addEventListener('abort', () => document.fullscreenElement && void document.exitFullscreen().catch(() => {}));
  return root;
}

/**
 * Escape first closes what lies over the panel: a dialog or the menu, which do that by themselves.
 * @param {HTMLElement} panel
 * @param {() => void} toggle
 * @param {AbortSignal} signal
 */
function closeByEscape(panel, toggle, signal) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    const above = document.querySelector('dialog[open]') ?? /** @type {Element} */ (event.target).closest('.menu');
    if (event.key === 'Escape' && !panel.hidden && !above) toggle();
  };
  document.addEventListener('keydown', pressed, { signal });
}

/**
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {AbortSignal} signal
 */
function callHeader(app, room, signal) {
  const state = el('span', { class: 'badge connection', role: 'status' });
  const draw = () => {
    const { status } = app.call;
    const waiting = status === 'connecting' || status === 'reconnecting';
    state.hidden = !waiting;
    if (waiting) state.textContent = t(`call.${status}`);
  };
  listen(app.call, 'status', draw, signal);
  draw();
  return el(
    'header',
    { class: 'call-header' },
    el('h1', { tabindex: '-1' }, titleOf(app, room)),
    callLock(app, signal),
    state,
  );
}

/**
 * @param {App} app
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function followStatus(app, root, signal) {
  let before = app.call.status;
  const draw = () => {
    const { status } = app.call;
    if (status === 'idle') return;
    root.dataset['connection'] = status;
    if (before === 'reconnecting' && status === 'connected') announce(t('call.reconnected'));
    before = status;
  };
  listen(app.call, 'status', draw, signal);
  draw();
}

/**
 * @param {App} app
 * @param {{ kind: 'joined' | 'left', name: string, reason: string | null } | null} news
 */
function tellNews(app, news) {
  if (!news || app.call.roster.count > FLOOD_PEOPLE) return;
  const special = news.reason === 'timed_out' || news.reason === 'removed' ? `_${news.reason}` : '';
  announce(t(/** @type {Key} */ (`call.${news.kind}${special}`), { name: news.name }));
}

/**
 * Somebody renamed the room, or gave it another link.
 * @param {App} app
 * @param {RoomWithMembers} room
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
function keepRoomFresh(app, room, root, signal) {
  const changed = async () => {
    const now = await app.rooms.details(room.id).catch(() => null);
    if (!now || signal.aborted) return;
    Object.assign(room, now);
    /** @type {HTMLElement} */ (root.querySelector('h1')).textContent = titleOf(app, room);
    document.title = `${titleOf(app, room)} · WebCall`;
  };
  listen(app.call, 'room', () => void changed(), signal);
}

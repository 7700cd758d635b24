/**
 * The stage: a tile for each feed, placed to fill the room there is; and what follows from it, how large the server should send each.
 *
 * Tiles are made and removed as feeds come and go and never rebuilt. When there are more than fit, those who speak or spoke last stay.
 */

/** @import { App } from './page.js' */
/** @import { Feed } from '../state/roster.js' */
/** @import { Wish } from '../protocol.js' */
/** @import { Rect } from '../ui/grid.js' */
/** @import { Picture } from './tile.js' */

import { t } from '../i18n/index.js';
import { isSending } from '../state/roster.js';
import { el, listen } from '../ui/dom.js';
import { grid, spotlight } from '../ui/grid.js';
import { verifiedInCall } from './keys/mark.js';
import { Tile, place } from './tile.js';

/** A page out of sight asks for no pictures after this long; short looks elsewhere cost nothing. */
const HIDDEN_PATIENCE_MS = 5_000;

/** @typedef {{ key: string, feed: Feed, own: boolean }} Entry */

export class Stage {
  #app;
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string | null} */
  #pinned = null;
  /** When each participant was last heard. @type {Map<string, number>} */
  #heard = new Map();
  #outOfSight = false;
  #more = el('div', { class: 'tile-more', hidden: true });
  /** @type {Map<string, Rect>} */
  #rects = new Map();

  /**
   * @param {App} app
   * @param {AbortSignal} signal
   */
  constructor(app, signal) {
    this.#app = app;
    this.element = el('section', { class: 'stage', 'aria-label': t('call.tiles') }, this.#more);
    const observer = new ResizeObserver(() => this.#layout());
    observer.observe(this.element);
    signal.addEventListener('abort', () => {
      observer.disconnect();
      for (const tile of this.#tiles.values()) tile.dispose();
    });
    listen(app.call, ['people', 'seats', 'mine', 'status'], () => this.#reconcile(), signal);
    listen(app.call, 'speakers', () => this.#speakersChanged(), signal);
    listen(app.call, ['reactions', 'proven'], () => this.#updateAll(), signal);
    listen(app.keys, ['change', 'person'], () => this.#updateAll(), signal);
    this.#watchVisibility(signal);
    this.#reconcile();
  }

  /** Make and remove tiles, then place them. */
  #reconcile() {
    const entries = this.#entries();
    const wanted = new Set(entries.map(({ key }) => key));
    for (const [key, tile] of this.#tiles) {
      if (wanted.has(key)) continue;
      tile.dispose();
      this.#tiles.delete(key);
      if (this.#pinned === key) this.#pinned = null;
    }
    for (const entry of entries) {
      if (!this.#tiles.has(entry.key)) this.#add(entry);
      this.#update(entry);
    }
    this.#layout();
  }

  /** @param {Entry} entry */
  #add({ key, feed, own }) {
    const { participant, username } = feed.participant;
    const tile = new Tile({ participant, username, kind: feed.kind, own, pin: () => this.#pin(key) });
    this.#tiles.set(key, tile);
    this.element.insertBefore(tile.element, this.#more);
  }

  /** @param {Entry} entry */
  #update({ key, feed, own }) {
    const { participant, kind } = feed;
    const { call } = this.#app;
    const name = participant.username;
    const title = kind === 'screen' ? (own ? t('call.your_screen') : t('call.screen_of', { name })) : own ? t('call.you', { name }) : name;
    this.#tiles.get(key)?.update({
      name: title,
      microphoneOn: own ? call.isOn('microphone') : isSending(participant, 'microphone'),
      pictureOn: kind === 'screen' || (own ? call.isOn('camera') : isSending(participant, 'camera')),
      speaking: call.speakers.includes(participant.participant),
      pinned: this.#pinned === key,
      handRaised: typeof participant.hand_raised_at === 'number',
      verified: kind === 'person' && !own ? verifiedInCall(this.#app, participant) : null,
      reaction: kind === 'person' ? call.reactionOf(participant.participant) : null,
      picture: own ? this.#ownPicture(feed) : this.#seatPicture(feed),
    });
  }

  /**
   * @param {Feed} feed
   * @returns {Picture | null}
   */
  #ownPicture({ kind }) {
    const track = kind === 'screen' ? (this.#app.media.screen?.video ?? null) : this.#app.media.camera.track;
    return track && { track, feed: track.id, verdict: () => 'yes', seatedAtMs: 0, usedBefore: false };
  }

  /**
   * @param {Feed} feed
   * @returns {Picture | null}
   */
  #seatPicture({ participant, kind }) {
    const { call } = this.#app;
    const seat = call.seatOf(participant.participant, kind);
    if (!seat?.feed) return null;
    const { index, seatedAtMs, usedBefore } = seat;
    return { track: seat.video.receiver.track, feed: `${index}:${seat.feed.csrc}:${seatedAtMs}`, verdict: () => call.verdict(index), seatedAtMs, usedBefore };
  }

  /** Others' screens first, then people as they came, oneself last. @returns {Entry[]} */
  #entries() {
    const { call, media } = this.#app;
    const me = call.me?.participant;
    /** @type {Entry[]} */
    const entries = [];
    for (const feed of call.roster.feeds()) {
      const own = feed.participant.participant === me;
      if (own && feed.kind === 'screen' && !media.screen) continue;
      entries.push({ key: `${feed.participant.participant}/${feed.kind}`, feed, own });
    }
    /** @param {Entry} entry */
    const rank = ({ own, feed }) => (own ? (feed.kind === 'screen' ? 3 : 2) : feed.kind === 'screen' ? 0 : 1);
    return entries.sort((a, b) => rank(a) - rank(b));
  }

  /** @param {string} key */
  #pin(key) {
    this.#pinned = this.#pinned === key ? null : key;
    this.#reconcile();
  }

  #speakersChanged() {
    for (const speaker of this.#app.call.speakers) this.#heard.set(speaker, performance.now());
    this.#updateAll();
    if (this.#rects.size < this.#tiles.size) this.#layout();
  }

  #updateAll() {
    for (const entry of this.#entries()) this.#update(entry);
  }

  #layout() {
    const { clientWidth: width, clientHeight: height } = this.element;
    const entries = this.#entries();
    const main = entries.find(({ key }) => key === this.#pinned) ?? entries.find(({ own, feed }) => feed.kind === 'screen' && !own) ?? null;
    const ordered = main ? [main, ...entries.filter((entry) => entry !== main)] : entries;
    const { tiles: rects, more } = main ? spotlight(ordered.length, width, height) : grid(ordered.length, width, height);
    const shown = ordered.length > rects.length ? this.#choose(ordered, rects.length, main) : ordered;
    this.#rects = new Map(shown.map(({ key }, index) => [key, /** @type {Rect} */ (rects[index])]));
    for (const [key, tile] of this.#tiles) tile.place(this.#rects.get(key) ?? null);
    const hidden = ordered.length - shown.length;
    this.#showHidden(hidden, more);
    this.#wish(entries);
  }

  /**
   * @param {number} hidden
   * @param {Rect | null} rect
   */
  #showHidden(hidden, rect) {
    this.#more.hidden = hidden === 0 || rect === null;
    this.#more.textContent = hidden > 0 ? t('call.hidden', { count: hidden }) : '';
    if (rect) place(this.#more, rect);
  }

  /**
   * Which of too many are shown: the large one, oneself unless there is place for one only, and whoever spoke last; in their usual order.
   * @param {Entry[]} entries
   * @param {number} room
   * @param {Entry | null} main
   */
  #choose(entries, room, main) {
    const ownWeight = room === 1 ? -1 : Number.MAX_VALUE;
    /** @param {Entry} entry */
    const weight = (entry) => (entry === main ? Infinity : entry.own ? ownWeight : (this.#heard.get(entry.feed.participant.participant) ?? 0));
    const kept = new Set([...entries].sort((a, b) => weight(b) - weight(a)).slice(0, room));
    return entries.filter((entry) => kept.has(entry));
  }

  /** @param {Entry[]} entries */
  #wish(entries) {
    /** @type {Wish[]} */
    const wishes = [];
    for (const { key, feed, own } of entries) {
      if (own) continue;
      const rect = this.#outOfSight ? undefined : this.#rects.get(key);
      const width = rect ? Math.round(neededWidth(rect, feed.kind) * devicePixelRatio) : 0;
      wishes.push({ participant: feed.participant.participant, kind: feed.kind, width, pinned: this.#pinned === key });
    }
    this.#app.call.view(wishes);
  }

  /** @param {AbortSignal} signal */
  #watchVisibility(signal) {
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const set = (/** @type {boolean} */ hidden) => {
      this.#outOfSight = hidden;
      this.#wish(this.#entries());
    };
    const changed = () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') set(false);
      else timer = setTimeout(() => set(true), HIDDEN_PATIENCE_MS);
    };
    document.addEventListener('visibilitychange', changed, { signal });
    signal.addEventListener('abort', () => clearTimeout(timer));
  }
}

/**
 * A face fills its tile and is cut, a screen is shown whole.
 * @param {Rect} rect
 * @param {'person' | 'screen'} kind
 */
function neededWidth({ width, height }, kind) {
  const wide = (height * 16) / 9;
  return kind === 'person' ? Math.max(width, wide) : Math.min(width, wide * 1.2);
}

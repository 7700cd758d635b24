/**
 * One tile: a person or a shared screen. Shows a picture only while it is known to be of the one whose name stands under it: after a seat
 * got another feed, or a camera came back, the initials stay until a frame of that feed has arrived.
 */

/** @import { FeedKind } from '../protocol.js' */
/** @import { Reaction } from '../state/reactions.js' */
/** @import { Rect } from '../ui/grid.js' */
/** @import { Verified } from './keys/mark.js' */

import { t } from '../i18n/index.js';
import { el, fill } from '../ui/dom.js';
import { icon } from '../ui/icons.js';
import { avatar } from './avatar.js';
import { verifiedMark } from './keys/mark.js';
import { personName } from './name.js';

/** Where the browser cannot tell whose frames a seat plays, a seat that was used before is trusted after this long. */
const TRUST_AFTER_MS = 600;

/**
 * @typedef {object} Picture where a tile's picture comes from
 * @property {MediaStreamTrack} track
 * @property {string} feed changes when another feed took the seat
 * @property {() => 'yes' | 'no' | 'unknown'} verdict whether the present frames are this feed's
 * @property {number} seatedAtMs
 * @property {boolean} usedBefore
 */

/**
 * @typedef {object} TileState
 * @property {string} name
 * @property {boolean} microphoneOn
 * @property {boolean} pictureOn
 * @property {boolean} speaking
 * @property {boolean} pinned
 * @property {boolean} handRaised
 * @property {Verified | null} verified null: of screens too
 * @property {Reaction | null} reaction
 * @property {Picture | null} picture
 */

/** @typedef {{ participant: string, username: string, kind: FeedKind, own: boolean, pin: () => void }} TileOptions */

/**
 * @param {HTMLElement} element
 * @param {Rect} rect
 */
export function place(element, rect) {
  for (const [side, value] of Object.entries(rect)) element.style.setProperty(`--${side}`, `${value}px`);
}

export class Tile {
  #options;
  // Firefox would stop at a video on the way through the page.
  #video = el('video', { playsinline: true, autoplay: true, 'aria-hidden': 'true', tabindex: '-1' });
  #label = el('div', { class: 'tile-label' });
  #reaction = el('div', { class: 'tile-reaction', 'aria-hidden': 'true', hidden: true });
  #shownReaction = 0;
  #pin = el('button', { class: 'tile-pin', type: 'button', data: { action: 'pin' } }, icon('pin'));
  /** @type {Picture | null} */
  #picture = null;
  #pictureOn = false;
  /** @type {MediaStreamTrack | null} */
  #attached = null;
  #live = false;
  #drawn = '';
  #gone = false;

  /** @param {TileOptions} options */
  constructor(options) {
    this.#options = options;
    const { participant, username, kind, own, pin } = options;
    this.#video.muted = true;
    if (own && kind === 'person') this.#video.classList.add('mirrored');
    this.element = el(
      'div',
      { class: `tile ${kind}`, role: 'group', data: { tile: '', participant, username, kind, ...(own ? { own: '' } : {}) }, on: { click: pin } },
      this.#video,
      el('div', { class: 'tile-cover' }, kind === 'screen' ? icon('screen') : avatar(username)),
      this.#label,
      this.#reaction,
      this.#pin,
    );
    this.#watch();
  }

  /** @param {TileState} state */
  update(state) {
    this.#show(state);
    this.#showReaction(state.reaction);
    const drawn = JSON.stringify([state.name, state.microphoneOn, state.pictureOn, state.speaking, state.pinned, state.handRaised, state.verified]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const person = this.#options.kind === 'person';
    fill(this.#label, person && state.handRaised ? icon('hand') : null, person && !state.microphoneOn ? icon('microphone-off') : null, person ? personName(this.#options.username, this.#options.own) : el('span', { class: 'clipped' }, state.name), verifiedMark(state.verified));
    const about = [state.name];
    if (state.verified) about.push(state.verified.text);
    if (person && !state.microphoneOn) about.push(t('call.microphone_is_off'));
    if (person && !state.pictureOn) about.push(t('call.camera_is_off'));
    if (person && state.handRaised) about.push(t('hand.is_up'));
    this.element.setAttribute('aria-label', about.join(', '));
    this.element.dataset['hand'] = person && state.handRaised ? 'up' : 'down';
    this.element.classList.toggle('speaking', state.speaking && person);
    this.element.classList.toggle('pinned', state.pinned);
    this.element.dataset['microphone'] = state.microphoneOn ? 'on' : 'off';
    this.element.dataset['camera'] = state.pictureOn ? 'on' : 'off';
    const pin = t(state.pinned ? 'call.unpin' : 'call.pin', { name: state.name });
    this.#pin.title = pin;
    this.#pin.setAttribute('aria-label', pin);
    this.#pin.setAttribute('aria-pressed', String(state.pinned));
  }

  /** A new one starts its way up afresh, even if it is the same. @param {Reaction | null} reaction */
  #showReaction(reaction) {
    if ((reaction?.serial ?? 0) === this.#shownReaction) return;
    this.#shownReaction = reaction?.serial ?? 0;
    this.#reaction.hidden = reaction === null;
    fill(this.#reaction, reaction && el('span', {}, reaction.emoji));
  }

  /** @param {Rect | null} rect null: no room for it */
  place(rect) {
    this.element.hidden = rect === null;
    if (!rect) return;
    place(this.element, rect);
    this.element.classList.toggle('small', rect.width < 180);
  }

  dispose() {
    this.#gone = true;
    this.#video.srcObject = null;
    this.element.remove();
  }

  /** @param {TileState} state */
  #show({ picture, pictureOn }) {
    // Without a picture nothing is attached, so that the last one does not wait behind the initials.
    const track = pictureOn ? (picture?.track ?? null) : null;
    if (track !== this.#attached) this.#video.srcObject = track && new MediaStream([track]);
    this.#attached = track;
    if (picture?.feed !== this.#picture?.feed || (pictureOn && !this.#pictureOn)) this.#setLive(false);
    this.#picture = picture;
    this.#pictureOn = pictureOn;
    if (!pictureOn || !picture) this.#setLive(false);
  }

  /** Look at each frame that is about to be shown, as long as the tile lives. */
  #watch() {
    if ('requestVideoFrameCallback' in this.#video) {
      const onFrame = () => {
        if (this.#gone) return;
        this.#frame();
        this.#video.requestVideoFrameCallback(onFrame);
      };
      this.#video.requestVideoFrameCallback(onFrame);
    } else {
      /** @type {HTMLVideoElement} */ (this.#video).addEventListener('timeupdate', () => this.#frame());
    }
  }

  #frame() {
    const picture = this.#picture;
    if (!picture || !this.#pictureOn) return;
    const verdict = picture.verdict();
    const trusted = verdict === 'unknown' && (!picture.usedBefore || performance.now() - picture.seatedAtMs > TRUST_AFTER_MS);
    this.#setLive(verdict === 'yes' || trusted);
  }

  /** @param {boolean} live */
  #setLive(live) {
    if (live === this.#live) return;
    this.#live = live;
    this.element.classList.toggle('live', live);
  }
}

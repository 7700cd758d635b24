/**
 * The call this window is in: joining it, staying in it through broken connections, leaving it.
 *
 * Ties the socket (what is said), the engine (what is sent and seen), the local devices and, in an encrypted room, what seals and opens together.
 * Says `status`, `people` {news}, `seats`, `speakers`, `left_out`, `mine`, `hand` {name}, `reactions`, `reaction` {name, emoji}, `notice` {code, source},
 * `lock`, `proven` (of encrypted calls: who is proven to be whom), `room`, `ended` {code}. Views read its getters and call its methods; it knows no
 * view. One store for the page; `enter` begins a stay, `leave` or `ended` ends it.
 */

/** @import { Encryption, FeedKind, LeftOut, ModeratorAction, Participant, ServerMessage, Source, Wish } from '../protocol.js' */
/** @import { SignalSocket } from '../net/socket.js' */
/** @import { EngineOptions } from '../rtc/call.js' */
/** @import { LocalMedia } from './media.js' */
/** @import { KeysAccount } from './keys/account.js' */
/** @import { Preferences } from './preferences.js' */
/** @import { Lock, ShieldedStay } from './shielded-stay.js' */

import { REJOIN_BACKOFF, backoffMs } from '../backoff.js';
import { SignalError } from '../net/socket.js';
import { CallEngine } from '../rtc/call.js';
import { listenForSpeakers } from '../rtc/ears.js';
import { withoutLevels } from '../rtc/without-levels.js';
import { OwnSources } from './own-sources.js';
import { Reactions } from './reactions.js';
import { Roster, moderated } from './roster.js';
import { Wishes } from './wishes.js';

/** @typedef {'idle' | 'connecting' | 'connected' | 'reconnecting'} CallStatus */
/**
 * For encrypted rooms. `isSupported`: whether this browser can; `prepare`: what can be begun before anybody joins; `ready`: the keys, once this device is in the room's group; rejects with a `code`.
 * @typedef {{ isSupported: () => boolean, prepare: (room: string) => void, ready: (room: string, isWanted: () => boolean) => Promise<KeysAccount>, open: () => ShieldedStay }} Shielding
 */

/** Refusals of `join` that pass by themselves; any other ends the stay. */
const PASSING = new Set(['connection_lost', 'timeout', 'timed_out', 'rate_limited', 'too_many_messages', 'busy', 'media_busy', 'internal', 'cancelled', 'network', 'keys_starting', 'not_let_in', 'newcomers', 'split_view']);
/** Of those, what is worth a word, once. */
const SAID = new Set(['media_busy', 'not_let_in', 'newcomers', 'split_view']);

export class CallStore extends EventTarget {
  #socket;
  #media;
  #preferences;
  /** @type {RTCIceServer[]} */
  #iceServers = [];
  #makeEngine;
  #shielding;
  #own;
  #wishes;
  #roster = new Roster();
  #reactions = new Reactions(() => this.#say('reactions'));
  /** @type {string | null} */
  #room = null;
  /** @type {string | null} */
  #me = null;
  /** @type {Encryption} */
  #encryption = 'open';
  /** Whether the call hides from the server who speaks. */
  #strict = false;
  /** Ends this browser's own listening for who speaks. */
  #ears = new AbortController();
  /** @type {CallEngine | null} */
  #engine = null;
  /** @type {ShieldedStay | null} */
  #shielded = null;
  /** @type {readonly string[]} */
  #speakers = [];
  /** What an overloaded server does not send. @type {LeftOut} */
  #leftOut = 'nothing';
  /** Rises with every join, so that a late answer to an earlier one is known as such. */
  #stay = 0;
  #rejoins = 0;
  /** Stays in a row that their media worker ended. */
  #faults = 0;
  /** Why it was refused, as the person was told last. @type {string | null} */
  #said = null;
  #wasConnected = false;
  #owesGoodbye = false;
  /** @type {CallStatus} */
  #status = 'idle';
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #rejoinTimer;

  /**
   * @param {SignalSocket} socket
   * @param {LocalMedia} media
   * @param {Preferences} preferences
   * @param {Shielding} shielding
   * @param {(options: EngineOptions) => CallEngine} makeEngine
   */
  constructor(socket, media, preferences, shielding, makeEngine = (options) => new CallEngine(options)) {
    super();
    this.#socket = socket;
    this.#media = media;
    this.#preferences = preferences;
    this.#shielding = shielding;
    this.#makeEngine = makeEngine;
    this.#own = new OwnSources(media, (source, muted) => socket.request({ type: 'mute', source, muted }), (source) => this.#forbidden(source));
    this.#wishes = new Wishes((wishes) => socket.request({ type: 'view', wishes }));
    socket.addEventListener('up', (event) => {
      const { resumed, iceServers } = /** @type {CustomEvent} */ (event).detail;
      this.#iceServers = iceServers ?? [];
      this.#socketUp(resumed);
    });
    socket.addEventListener('down', () => this.#updateStatus());
    socket.addEventListener('ended', (event) => this.#end(/** @type {CustomEvent} */ (event).detail.code));
    socket.addEventListener('message', (event) => this.#message(/** @type {CustomEvent} */ (event).detail));
    media.addEventListener('change', () => this.#ownChanged());
  }

  /** @returns {CallStatus} */
  get status() {
    return this.#status;
  }

  get room() {
    return this.#room;
  }

  /** Oneself, once joined. @returns {Participant | null} */
  get me() {
    return this.#me === null ? null : this.#roster.find(this.#me);
  }

  get roster() {
    return this.#roster;
  }

  /** Loudest first; in a strict call by this browser's own ears. @returns {readonly string[]} */
  get speakers() {
    return this.#speakers;
  }

  get handRaised() {
    return typeof this.me?.hand_raised_at === 'number';
  }

  /** What somebody shows at the moment. @param {string} participant */
  reactionOf(participant) {
    return this.#reactions.of(participant);
  }

  /** What an overloaded server does not send. */
  get leftOut() {
    return this.#leftOut;
  }

  get engine() {
    return this.#engine;
  }

  /** Whether this browser can take part in encrypted calls. */
  get canEncrypt() {
    return this.#shielding.isSupported();
  }

  /** What this client itself has sealed and opened. @returns {'open' | Lock} */
  get lock() {
    return this.#encryption === 'open' ? 'open' : (this.#shielded?.lock ?? 'waiting');
  }

  /** Whether the picture that a seat shows now is of the feed that it is said to be. @param {number} index */
  verdict(index) {
    const seat = this.#engine?.seats.all[index];
    if (!seat?.feed) return 'no';
    if (this.#encryption === 'open') return this.#engine?.verdict(index) ?? 'no';
    return this.#shielded?.verdict(seat, this.#roster.find(seat.feed.participant)) ?? 'no';
  }

  /** Whether this participant is proven, in an encrypted call, to be the user whom the server says. @param {Participant} participant */
  isProven(participant) {
    return this.#shielded?.isProven(participant) ?? false;
  }

  /** Of an encrypted call: what all in it see alike, as indices of `ui/safety-emoji.js`; null where there is nothing to be seen yet. */
  async emoji() {
    return (await this.#shielded?.emoji()) ?? null;
  }

  /**
   * Make sure of the connection, so that joining is quick. It is the page's: the chat uses it too, and a call that ends leaves it open.
   * @param {{ id: string, encryption: Encryption }} room as this browser knows it
   */
  prepare({ id, encryption }) {
    this.#socket.connect();
    if (encryption !== 'open') this.#shielding.prepare(id);
  }

  /** @param {string} room @param {{ encryption: Encryption, strict?: boolean }} protection as this browser knows the room */
  enter(room, { encryption, strict }) {
    this.#room = room;
    this.#encryption = encryption === 'open' ? 'open' : 'mls';
    this.#strict = strict === true;
    [this.#rejoins, this.#faults, this.#said] = [0, 0, null];
    this.#wasConnected = false;
    this.#updateStatus();
    if (this.#socket.isUp) void this.#join();
    else this.#socket.connect();
  }

  /** Leave by oneself. Says goodbye, so that nobody looks at a frozen tile. */
  leave() {
    if (this.#room === null) return;
    this.#goodbye();
    this.#finish();
  }

  /** The connection outlives the call: a goodbye that got lost is said when it is back. */
  #goodbye() {
    this.#owesGoodbye = false;
    this.#socket.request({ type: 'leave' }).catch(({ code }) => {
      this.#owesGoodbye = code === 'connection_lost' || code === 'timeout';
    });
  }

  /** @param {Source} source */
  isOn(source) {
    return this.#own.isOn(source);
  }

  /** Whether a moderator switched this off. @param {Source} source */
  isForbidden(source) {
    return this.me?.sources.some((state) => state.source === source && state.forbidden) ?? false;
  }

  /** @param {'microphone' | 'camera' | 'screen'} source */
  async toggle(source) {
    const on = !this.isOn(source);
    if (on && this.isForbidden(source)) {
      this.#notice('muted_by_moderator', source);
      return;
    }
    if (source === 'screen') {
      if (!on) this.#media.stopScreen();
      else await this.#media.shareScreen().catch((error) => this.#notice(error.code ?? 'device_failed', source));
      return;
    }
    await this.#media.set(source, on ? 'on' : 'off');
    const { error } = this.#media[source];
    if (on && error) this.#notice(error, source);
  }

  /**
   * @param {string} participant
   * @param {ModeratorAction} action
   */
  async moderate(participant, action) {
    await this.#socket.request({ type: 'moderate', participant, action }).catch((error) => this.#notice(error.code, null));
  }

  /** @param {boolean} raised */
  async raiseHand(raised) {
    await this.#socket.request({ type: 'hand', raised }).catch((error) => this.#notice(error.code, null));
  }

  /** @param {string} emoji */
  async react(emoji) {
    await this.#socket.request({ type: 'react', emoji }).catch((error) => this.#notice(error.code, null));
  }

  /** How large each feed is shown now. @param {Wish[]} wishes */
  view(wishes) {
    this.#wishes.set(wishes);
  }

  /**
   * @param {string} participant
   * @param {FeedKind} kind
   */
  seatOf(participant, kind) {
    return this.#engine?.seats.find(participant, kind) ?? null;
  }

  async #join() {
    const stay = ++this.#stay;
    const room = this.#room;
    if (room === null) return;
    clearTimeout(this.#rejoinTimer);
    this.#closeEngine();
    this.#setLeftOut('nothing');
    try {
      const account = this.#encryption !== 'open' ? await this.#shielding.ready(room, () => stay === this.#stay && this.#socket.isUp) : null;
      if (stay !== this.#stay || !this.#socket.isUp) return;
      // What its group says of a room goes before what the page was told of it.
      this.#strict ||= account?.lookOf(room)?.strict === true;
      if (account !== null) this.#openShielded();
      const asked = this.#socket.request({ type: 'join', room, muted: this.#own.enter() }).then((answer) => this.#entered(stay, answer));
      // The server may have let this window in before it was known that it may not come.
      const allowed = this.#shielded?.allowed.catch((error) => (stay === this.#stay && this.#goodbye(), Promise.reject(error)));
      const joined = Promise.all([asked, allowed]).then(([answer]) => answer);
      joined.catch(() => {});
      const engine = this.#openEngine(joined);
      const answer = await joined;
      if (stay !== this.#stay || answer.type !== 'joined') return;
      // Nothing changes how a room is encrypted, and nobody enters another one than they asked for: either is wrong, and nothing has been sent.
      if (answer.encryption !== this.#encryption || answer.room !== room) return this.#endWithGoodbye('other_encryption');
      // What this browser knows holds, whatever is answered. Nothing was offered yet.
      this.#strict ||= answer.strict;
      if (this.#strict) this.#listen(engine);
      if (account !== null) void this.#startShielded(account, answer);
      this.#wishes.again();
      engine.wantSeats(this.#feedsOfOthers());
      this.#say('people', { news: null });
      this.#say('mine');
    } catch (error) {
      const { code } = /** @type {{ code?: unknown }} */ (error);
      if (stay === this.#stay) this.#joinRefused(typeof code === 'string' ? code : 'internal');
    }
  }

  /** At once, whatever else is waited for: who comes or goes from here on is told one by one. @param {number} stay @param {ServerMessage} answer */
  #entered(stay, answer) {
    if (stay === this.#stay && answer.type === 'joined') {
      this.#me = answer.participant;
      this.#roster.replace(answer.participants);
    }
    return answer;
  }

  /** Where the server has let this window in. @param {string} code */
  #endWithGoodbye(code) {
    this.#goodbye();
    this.#end(code);
  }

  #openShielded() {
    const shielded = this.#shielding.open();
    this.#shielded = shielded;
    shielded.addEventListener('lock', () => shielded === this.#shielded && (this.#updateStatus(), this.#say('lock')));
    shielded.addEventListener('seats', () => shielded === this.#shielded && this.#say('seats'));
    shielded.addEventListener('people', () => shielded === this.#shielded && this.#say('proven'));
    shielded.addEventListener('ended', (event) => shielded === this.#shielded && this.#shieldedEnded(/** @type {CustomEvent} */ (event).detail.code));
    this.#say('lock');
  }

  /** A media worker that cannot be loaded stops every stay: the others would see this person come and go without end. @param {string | null} code */
  #shieldedEnded(code) {
    this.#closeEngine();
    if (code === null || this.#faults++ === 0) this.#rejoin();
    else this.#endWithGoodbye(code);
  }

  /** @param {KeysAccount} account @param {Extract<ServerMessage, { type: 'joined' }>} joined */
  async #startShielded(account, { room, call, participant, group }) {
    const shielded = this.#shielded;
    try {
      await shielded?.start(account, call, { room, participant }, group);
      shielded?.present(this.#roster.people);
    } catch {
      if (shielded === this.#shielded) this.#rejoin();
    }
  }

  /** @param {string} code */
  #joinRefused(code) {
    this.#closeEngine();
    if (SAID.has(code) && this.#said !== code) this.#notice((this.#said = code), null);
    if (code === 'already_in_call' || PASSING.has(code)) this.#rejoin();
    else this.#end(code);
  }

  /**
   * @param {Promise<ServerMessage>} joined
   * @returns {CallEngine}
   */
  #openEngine(joined) {
    const shielded = this.#shielded;
    const engine = this.#makeEngine({
      offer: async (offer) => {
        await joined;
        await this.#untilUp();
        if (engine !== this.#engine) throw new SignalError('connection_lost');
        const answer = await this.#socket.request({ type: 'offer', ...offer });
        const sdp = answer.type === 'answer' ? answer.sdp : '';
        return this.#strict ? withoutLevels(sdp) : sdp;
      },
      codec: this.#preferences.get('codec'),
      cameraWidth: this.#media.camera.track?.getSettings().width ?? null,
      iceServers: this.#iceServers,
      attach: (transceiver, what) => shielded?.attach(transceiver, what),
    });
    this.#engine = engine;
    engine.addEventListener('state', () => engine === this.#engine && this.#updateStatus());
    engine.addEventListener('settled', () => engine === this.#engine && this.#own.report(engine));
    engine.addEventListener('lost', (event) => {
      if (engine !== this.#engine) return;
      this.#notice(/** @type {CustomEvent} */ (event).detail.code, null);
      this.#rejoin();
    });
    this.#own.send(engine);
    engine.negotiate();
    return engine;
  }

  /** In a strict call the server knows not who speaks. @param {CallEngine} engine */
  #listen(engine) {
    this.#ears.abort();
    this.#ears = new AbortController();
    this.#setSpeakers([]);
    const own = () => ({ track: this.#media.microphone.track?.id, participant: this.#me });
    listenForSpeakers(engine, own, (speakers) => this.#setSpeakers(speakers), this.#ears.signal);
  }

  /** @param {readonly string[]} speakers */
  #setSpeakers(speakers) {
    this.#speakers = speakers;
    this.#say('speakers');
  }

  #closeEngine() {
    this.#ears.abort();
    const engine = this.#engine;
    this.#engine = null;
    engine?.close();
    if (this.#shielded?.wasGood) this.#faults = 0;
    this.#shielded?.end();
    this.#shielded = null;
    this.#say('seats');
    this.#updateStatus();
  }

  /** Start the stay afresh, soon; later when that did not help. */
  #rejoin() {
    this.#stay += 1;
    this.#closeEngine();
    clearTimeout(this.#rejoinTimer);
    const waitMs = backoffMs(REJOIN_BACKOFF, this.#rejoins++, Math.random());
    const stay = this.#stay;
    this.#rejoinTimer = setTimeout(async () => {
      if (!this.#socket.isUp) return; // `up` joins
      await this.#socket.request({ type: 'leave' }).catch(() => {});
      if (stay === this.#stay && this.#room !== null && this.#socket.isUp) void this.#join();
    }, waitMs);
  }

  /** @param {boolean} resumed */
  #socketUp(resumed) {
    if (this.#room === null) {
      if (this.#owesGoodbye && resumed) this.#goodbye();
      return;
    }
    if (resumed && this.#engine !== null && this.#me !== null) {
      this.#own.forgetTold();
      this.#own.report(this.#engine);
      this.#wishes.again();
    } else if (resumed) this.#rejoin();
    else void this.#join();
    this.#updateStatus();
  }

  /** @returns {Promise<void>} */
  #untilUp() {
    if (this.#socket.isUp) return Promise.resolve();
    return new Promise((resolve) => this.#socket.addEventListener('up', () => resolve(), { once: true }));
  }

  /** @param {ServerMessage} message */
  #message(message) {
    if (message.type === 'drain') this.#socket.drain(message.retry_ms);
    if (message.type === 'ice_servers') {
      this.#iceServers = message.ice_servers;
      void this.#engine?.renewServers(message.ice_servers);
    }
    if (this.#room === null) return;
    switch (message.type) {
      case 'participant_joined':
        this.#roster.put(message.participant);
        return this.#peopleChanged({ kind: 'joined', name: message.participant.username, reason: null });
      case 'participant_changed':
        return this.#participantChanged(message.participant);
      case 'participant_left': {
        const who = this.#roster.remove(message.participant);
        this.#reactions.end(message.participant);
        return this.#peopleChanged(who && { kind: 'left', name: who.username, reason: message.reason });
      }
      case 'seats':
        this.#engine?.applySeats(message.seats);
        this.#shielded?.seat(this.#engine?.seats.all ?? []);
        return this.#say('seats');
      case 'speakers':
        return this.#strict ? undefined : this.#setSpeakers(message.participants);
      case 'reaction':
        return this.#reacted(message.participant, message.emoji);
      case 'left_out':
        return this.#setLeftOut(message.what);
      case 'media':
        if (message.state === 'disconnected') this.#engine?.restartIce();
        return;
      case 'renegotiate':
        return this.#engine?.negotiate();
      case 'removed':
        return message.reason === 'media_lost' || message.reason === 'timed_out' ? this.#rejoin() : this.#end(message.reason);
      case 'room_changed':
        return this.#say('room');
    }
  }

  /** @param {LeftOut} what */
  #setLeftOut(what) {
    this.#leftOut = what;
    this.#say('left_out');
  }

  /** @param {string} participant @param {string} emoji */
  #reacted(participant, emoji) {
    const who = this.#roster.find(participant);
    if (!who) return;
    this.#reactions.show(participant, emoji);
    if (participant !== this.#me) this.#say('reaction', { name: who.username, emoji });
  }

  /** @param {Participant} participant */
  #participantChanged(participant) {
    const before = this.#roster.put(participant);
    const raised = typeof participant.hand_raised_at === 'number' && typeof before?.hand_raised_at !== 'number';
    if (raised && participant.participant !== this.#me) this.#say('hand', { name: participant.username });
    if (participant.participant === this.#me) {
      const { forbidden, allowed } = moderated(before, participant);
      for (const source of forbidden) this.#forbidden(source);
      for (const source of allowed) this.#notice('allowed_by_moderator', source);
      this.#say('mine');
    }
    this.#peopleChanged(null);
  }

  /** @param {Source} source */
  #forbidden(source) {
    if (this.isOn(source)) this.#own.forbid(source);
    this.#notice('muted_by_moderator', source);
  }

  /** @param {{ kind: 'joined' | 'left', name: string, reason: string | null } | null} news */
  #peopleChanged(news) {
    this.#engine?.wantSeats(this.#feedsOfOthers());
    this.#shielded?.present(this.#roster.people);
    this.#say('people', { news });
  }

  #ownChanged() {
    if (this.#engine) {
      this.#own.send(this.#engine);
      if (this.#socket.isUp && this.#me !== null) this.#own.report(this.#engine);
    }
    this.#say('mine');
  }

  #feedsOfOthers() {
    return this.#roster.feeds().filter(({ participant }) => participant.participant !== this.#me).length;
  }

  #updateStatus() {
    const whole = this.#socket.isUp && this.#me !== null && this.#engine?.state === 'connected';
    if (whole) {
      this.#wasConnected = true;
      this.#said = null;
      // Without keys it may have to begin anew, and later each time.
      if (this.lock !== 'waiting') this.#rejoins = 0;
    }
    const status = this.#room === null ? 'idle' : whole ? 'connected' : this.#wasConnected ? 'reconnecting' : 'connecting';
    if (status === this.#status) return;
    this.#status = status;
    this.#say('status');
  }

  /** The stay is over, not by this person's wish. @param {string} code */
  #end(code) {
    if (this.#room === null) {
      if (code === 'session_ended') this.#say('ended', { code });
      return;
    }
    this.#finish();
    this.#say('ended', { code });
  }

  #finish() {
    this.#stay += 1;
    this.#room = null;
    this.#me = null;
    this.#roster.clear();
    this.#reactions.clear();
    this.#speakers = [];
    clearTimeout(this.#rejoinTimer);
    this.#wishes.stop();
    this.#closeEngine();
    this.#media.stop();
  }

  /** @param {string} code @param {Source | null} source */
  #notice(code, source) {
    this.#say('notice', { code, source });
  }

  /** @param {string} type @param {object} [detail] */
  #say(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

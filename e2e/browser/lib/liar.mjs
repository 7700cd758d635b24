// What a server may say in the place of the truth: its messages with parts removed, exchanged, or of another kind, and messages that are late, twice,
// or another's. All by a chance that a seed decides, each message by itself: the same lie is told to the same message of the same round again.

/** What is said of a room's encryption, and of what has to do with it, more often than anything else. */
const WORDS = {
  encryption: ['open', 'open', 'open', 'mls', 'none', 'OPEN', '', null, false],
  strict: [true, false, null, 'no'],
  kind: ['person', 'screen', 'group', 'direct', 'message', 'deletion'],
  source: ['microphone', 'camera', 'screen', 'screen_audio'],
  resumed: [true, false],
  group: [null, {}, { epoch: 0, group_info: '', tree: null }],
  feed: [null],
  epoch: [0, 1, 255, 256, 2 ** 53],
  type: ['joined', 'ok', 'seats', 'removed', 'renegotiate', 'resync', 'room_changed', 'participant_left', 'welcome', 'media'],
  state: ['connected', 'disconnected'],
  reason: ['left', 'removed', 'media_lost', 'room_gone'],
};
/** Names that matter are so much more often lied about. */
const WEIGHT = 6;
const MATTERS = new Set([...Object.keys(WORDS), 'participant', 'user', 'room', 'call', 'id', 'seat', 'participants', 'seats', 'members', 'csrc', 'sources']);
/** In the place of anything. */
const ANYTHING = [null, '', 'x', 0, -1, 1e15, true, false, [], {}, 'ffffffffffffffff'];
const STATUSES = [400, 401, 403, 404, 409, 429, 500, 503];
/** A lie in so many is about a whole message. */
const WHOLE = 5;
/** Whoever is signed out is signed in anew, which takes long: of the truth about that this much is left. */
const TRUTH_OF_SESSIONS = 0.9;
/** Values of one name, and frames, that are remembered to be said elsewhere. */
const MAX_KEPT = 60;
const MAX_TOLD = 400;
const GONE = Symbol('gone');

/** A sequence of numbers from 0 to 1 that a text decides: mulberry32, begun with FNV-1a of it. */
export function chanceOf(text) {
  let state = 0x811c9dc5;
  for (const letter of text) state = Math.imul(state ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Everything of this name in a message, said to be this; where that is undefined nothing is said of it. */
export function everyName(name, as) {
  const change = (told) => {
    if (Array.isArray(told)) return told.map(change);
    if (told === null || typeof told !== 'object') return told;
    return Object.fromEntries(Object.entries(told).flatMap(([each, part]) => (each !== name ? [[each, change(part)]] : as(part) === undefined ? [] : [[each, as(part)]])));
  };
  return change;
}

/**
 * @typedef {{ rate: number, always?: (message: any, of: 'frame' | 'answer') => any }} Plan `rate`: of all messages so many have a lie in them;
 *   `always`: is done to each
 */

export class Liar {
  #seed;
  #round = '';
  /** @type {Plan} */
  #plan = { rate: 0 };
  /** @type {Map<string, number>} */
  #counts = new Map();
  /** @type {Map<string, any[]>} */
  #values = new Map();
  #frames = [];
  /** What was said in this round that is not so. */
  told = [];
  lies = 0;

  constructor(seed) {
    this.#seed = seed;
  }

  /** @param {string} round @param {Plan} plan */
  begin(round, plan) {
    [this.#round, this.#plan, this.told] = [round, plan, []];
    this.#counts.clear();
  }

  tellTheTruth() {
    this.#plan = { rate: 0 };
  }

  /** For a proxy: what is said to this person. */
  changeFor(who) {
    return {
      frame: (frame) => this.#frame(who, frame),
      answer: (answer) => this.#answer(who, answer),
    };
  }

  #frame(who, frame) {
    this.#remember(frame);
    this.#frames = [frame, ...this.#frames].slice(0, MAX_KEPT);
    const random = this.#chance(`${who} ${frame.type}`);
    const said = this.#always(frame, 'frame');
    if (random() >= this.#plan.rate) return [said];
    if (random() * WHOLE >= 1) return [this.#partly(said, random, `${who} ${frame.type}`)];
    const other = pick(this.#frames, random);
    const [how, frames] = pick([
      ['not said', []],
      ['twice', [said, { ...said, seq: 0 }]],
      [`as ${JSON.stringify(other).slice(0, 200)}`, [{ ...other, seq: said.seq, ...('id' in said ? { id: said.id } : {}) }]],
      ['with another before', [{ ...other, seq: 0 }, said]],
    ], random);
    this.#tells(`${who} ${frame.type} ${how}`);
    return frames;
  }

  #answer(who, { method, path, status, body }) {
    this.#remember(body);
    const what = `${who} ${method} ${path.replace(/[?].*/, '')}`;
    const random = this.#chance(what);
    if (path.startsWith('auth/') && random() < TRUTH_OF_SESSIONS) return undefined;
    const said = this.#always(body, 'answer');
    if (random() >= this.#plan.rate) return { body: said };
    if (random() * WHOLE >= 1) return { body: this.#partly(said, random, what) };
    const other = status >= 400 ? 200 : pick(STATUSES, random);
    this.#tells(`${what} ${status} as ${other}`);
    return { status: other, body: other >= 400 ? { code: pick(['not_found', 'room_not_found', 'group_not_found', 'internal', 'rate_limited', 'uninvited'], random) } : said };
  }

  #chance(what) {
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    return chanceOf(`${this.#seed} ${this.#round} ${what} ${count}`);
  }

  #always(message, of) {
    const { always } = this.#plan;
    return always ? always(message, of) : message;
  }

  #tells(lie) {
    this.lies += 1;
    if (this.told.length < MAX_TOLD) this.told.push(lie);
  }

  /** One to three parts of it are something else. */
  #partly(message, random, what) {
    const said = structuredClone(message);
    for (let count = Math.ceil(random() * 3); count > 0; count -= 1) {
      const places = [...placesIn(said)];
      if (places.length === 0) break;
      const { holder, name } = pick(places.flatMap((place) => Array(MATTERS.has(place.name) ? WEIGHT : 1).fill(place)), random);
      const lie = this.#instead(name, holder[name], random);
      this.#tells(`${what}: ${name} ${lie === GONE ? 'gone' : `as ${JSON.stringify(lie)?.slice(0, 200)}`}`);
      if (lie !== GONE) holder[name] = lie;
      else if (Array.isArray(holder)) holder.splice(Number(name), 1);
      else delete holder[name];
    }
    return said;
  }

  #instead(name, value, random) {
    const ways = [GONE, pick(ANYTHING, random), pick(this.#values.get(name) ?? [value], random), pick(this.#values.get(name) ?? [value], random), ...otherwise(value)];
    if (WORDS[name]) ways.push(...Array(WEIGHT).fill(pick(WORDS[name], random)));
    const lie = pick(ways, random);
    return lie === GONE ? lie : structuredClone(lie);
  }

  #remember(message) {
    for (const { holder, name } of placesIn(message)) {
      if (Array.isArray(holder)) continue;
      this.#values.set(name, [holder[name], ...(this.#values.get(name) ?? [])].slice(0, MAX_KEPT));
    }
  }
}

const pick = (some, random) => some[Math.floor(random() * some.length)];

/** Every part of a message, with what it stands in. */
function* placesIn(message) {
  if (message === null || typeof message !== 'object') return;
  for (const name of Object.keys(message)) {
    yield { holder: message, name };
    yield* placesIn(message[name]);
  }
}

/** Of the same kind, and not the same. */
function otherwise(value) {
  if (typeof value === 'boolean') return [!value];
  if (typeof value === 'number') return [value + 1, value - 1, 0, -value];
  if (typeof value === 'string') return [value.toUpperCase(), value.slice(1), `${value}x`];
  if (Array.isArray(value)) return [[], value.toReversed(), [...value, ...value], value.slice(1)];
  return [{}];
}

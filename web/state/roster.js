/** Who is in the call, as the server says. Pure bookkeeping. */

/** @import { FeedKind, Participant, Source, SourceState } from '../protocol.js' */

/** @typedef {{ participant: Participant, kind: FeedKind }} Feed */

export class Roster {
  /** @type {Map<string, Participant>} */
  #people = new Map();

  /** In order of joining. @returns {Participant[]} */
  get people() {
    return [...this.#people.values()].sort((a, b) => a.joined_at - b.joined_at || a.participant.localeCompare(b.participant));
  }

  get count() {
    return this.#people.size;
  }

  /** @param {string} id */
  find(id) {
    return this.#people.get(id) ?? null;
  }

  /** @param {readonly Participant[]} people */
  replace(people) {
    this.#people = new Map(people.map((one) => [one.participant, one]));
  }

  /**
   * @param {Participant} one
   * @returns {Participant | null} as they were before
   */
  put(one) {
    const before = this.find(one.participant);
    this.#people.set(one.participant, one);
    return before;
  }

  /**
   * @param {string} id
   * @returns {Participant | null} who that was
   */
  remove(id) {
    const before = this.find(id);
    this.#people.delete(id);
    return before;
  }

  /** Raised hands first, who waits longest at the top; then in order of joining. @returns {Participant[]} */
  get byHands() {
    return this.people.sort((a, b) => (a.hand_raised_at ?? Infinity) - (b.hand_raised_at ?? Infinity) || 0);
  }

  clear() {
    this.#people.clear();
  }

  /** Everything that can be seen: one feed a person, and one for each shared screen. @returns {Feed[]} */
  feeds() {
    return this.people.flatMap((participant) => {
      const person = /** @type {Feed} */ ({ participant, kind: 'person' });
      return isSending(participant, 'screen') ? [person, { participant, kind: 'screen' }] : [person];
    });
  }
}

/**
 * @param {Participant} participant
 * @param {Source} source
 * @returns {SourceState | null}
 */
export function sourceState(participant, source) {
  return participant.sources.find((state) => state.source === source) ?? null;
}

/**
 * @param {Participant} participant
 * @param {Source} source
 */
export function isSending(participant, source) {
  return sourceState(participant, source)?.muted === false;
}

/**
 * Which sources a change newly forbids, and which it allows again.
 * @param {Participant | null} before
 * @param {Participant} after
 * @returns {{ forbidden: Source[], allowed: Source[] }}
 */
export function moderated(before, after) {
  const was = new Set((before?.sources ?? []).filter(({ forbidden }) => forbidden).map(({ source }) => source));
  const is = new Set(after.sources.filter(({ forbidden }) => forbidden).map(({ source }) => source));
  return { forbidden: [...is].filter((source) => !was.has(source)), allowed: [...was].filter((source) => !is.has(source)) };
}

/**
 * Whether `mine` may moderate `theirs`: the server decides, this only hides what it would refuse.
 * @param {Participant} mine
 * @param {Participant} theirs
 */
export function mayModerate(mine, theirs) {
  if (mine.participant === theirs.participant || theirs.role === 'owner') return false;
  return mine.role === 'owner' || (mine.role === 'moderator' && theirs.role === 'member');
}

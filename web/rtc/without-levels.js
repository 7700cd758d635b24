/**
 * What hides from the server who speaks, done by whoever sends: no packet says how loud it is (RFC 6464), and sound has a constant bitrate
 * without pauses (RFC 7587 §6.1), so that sizes say nothing either. The server's answer says so by itself; this does not depend on it.
 */

const LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';
const CONSTANT = ['cbr=1', 'usedtx=0'];

/**
 * The answer to an offer, with no levels taken and constant sound asked for.
 * @param {string} answer
 */
export function withoutLevels(answer) {
  const lines = answer.split(/\r\n|\r|\n/).filter((line) => !(line.startsWith('a=extmap:') && line.toLowerCase().includes(LEVEL)));
  const opus = new Set(lines.flatMap((line) => opusOf(line) ?? []));
  /** @type {Map<string, string[]>} */
  const given = new Map();
  for (const { type, parameters } of lines.flatMap((line) => parametersOf(line) ?? [])) if (opus.has(type)) given.set(type, parameters);
  const kept = lines.filter((line) => !opus.has(parametersOf(line)?.type ?? ''));
  return kept.flatMap((line) => (opusOf(line) === null ? [line] : [line, constant(String(opusOf(line)), given)])).join('\r\n');
}

/** @param {string} type @param {ReadonlyMap<string, string[]>} given */
function constant(type, given) {
  const others = (given.get(type) ?? []).filter((parameter) => !/^\s*(cbr|usedtx)\s*(=|$)/i.test(parameter));
  return `a=fmtp:${type} ${[...others, ...CONSTANT].join(';')}`;
}

/** The payload type that a line gives to Opus. @param {string} line */
function opusOf(line) {
  return /^a=rtpmap:(\d+) opus\//i.exec(line)?.[1] ?? null;
}

/** @param {string} line */
function parametersOf(line) {
  const [, type, text] = /^a=fmtp:(\d+) (.*)$/.exec(line) ?? [];
  return type === undefined || text === undefined ? null : { type, parameters: text.split(';') };
}

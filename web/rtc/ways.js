/**
 * The ways that media can take to the server, and what belongs to each: which candidates of an answer, which relays. Pure.
 */

/** @typedef {{ protocol: 'udp' | 'tcp', type: string, tcpType: string | null, port: number }} Candidate */
/** @typedef {'turn_udp' | 'turn_tcp' | 'turn_tls'} RelayKind */

/** The SFU's own UDP port. @param {Candidate} candidate */
export const isUdpHost = ({ protocol, type }) => protocol === 'udp' && type === 'host';

/** The SFU over TCP: it listens, the browser connects (RFC 6544 §4.5). @param {Candidate} candidate */
export const isPassiveTcp = ({ protocol, tcpType }) => protocol === 'tcp' && tcpType === 'passive';

/** @returns {boolean} */
export const isAny = () => true;

/**
 * An answer with only some of its candidates.
 * @param {string} sdp
 * @param {(candidate: Candidate) => boolean} keep
 * @returns {{ sdp: string, kept: Candidate[] }}
 */
export function withCandidates(sdp, keep) {
  /** @type {Candidate[]} */
  const kept = [];
  const lines = sdp.split('\r\n').filter((line) => {
    const candidate = parseCandidate(line);
    if (candidate === null) return !line.startsWith('a=candidate:');
    if (!keep(candidate)) return false;
    kept.push(candidate);
    return true;
  });
  return { sdp: lines.join('\r\n'), kept };
}

/**
 * RFC 8839 §5.1: foundation, component, transport, priority, address, port, `typ`, type, then pairs of name and value.
 * @param {string} line
 * @returns {Candidate | null}
 */
function parseCandidate(line) {
  const parts = /^a=candidate:\S+ \d+ (\w+) \d+ \S+ (\d+) typ (\w+)(?: (.*))?$/.exec(line);
  if (!parts) return null;
  const [, transport = '', port, type = '', more = ''] = parts;
  const protocol = transport.toLowerCase();
  if (protocol !== 'udp' && protocol !== 'tcp') return null;
  return { protocol, type, tcpType: /(?:^| )tcptype (\w+)/.exec(more)?.[1] ?? null, port: Number(port) };
}

/**
 * The servers of one kind. Without `?transport=` a `turn:` address is UDP and a `turns:` one TLS over TCP (RFC 7065 §3.1).
 * @param {readonly RTCIceServer[]} servers
 * @param {RelayKind} kind
 * @returns {RTCIceServer[]} only addresses of that kind; empty when there are none
 */
export function relaysOf(servers, kind) {
  return servers.flatMap((server) => {
    const urls = [server.urls].flat().filter((url) => relayKind(url) === kind);
    return urls.length > 0 ? [{ ...server, urls }] : [];
  });
}

/**
 * @param {string} url
 * @returns {RelayKind | null}
 */
function relayKind(url) {
  const [scheme = '', rest = ''] = url.toLowerCase().split(/:(.*)/s);
  const transport = /[?&]transport=(\w+)/.exec(rest)?.[1] ?? (scheme === 'turn' ? 'udp' : 'tcp');
  if (scheme === 'turn') return transport === 'udp' ? 'turn_udp' : 'turn_tcp';
  return scheme === 'turns' && transport === 'tcp' ? 'turn_tls' : null;
}

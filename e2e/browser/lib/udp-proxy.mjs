// A UDP proxy on this machine between the browsers and the media ports: the network's bad days, seeded.
//
// The server advertises the proxy's ports instead of its own (`advertised_port`). Every source of packets becomes a flow with an
// upstream socket of its own, as behind a NAT; `rebind()` gives all of them new ports, as a NAT does that forgot. Loss takes RTP and
// RTCP only (first byte 128 to 191, RFC 7983), so that a call is never lost for its handshake.

import { createSocket } from 'node:dgram';

const LOOPBACK = '127.0.0.1';
/** Flows a proxy keeps at most; a packet of one more is dropped. Moving it costs one socket each. */
const MAX_FLOWS = 256;

/** A seeded source of numbers in [0, 1): mulberry32, so that a failing run can be run again. */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const isRtpOrRtcp = (packet) => packet.length >= 12 && packet[0] >= 128 && packet[0] <= 191;
const isRtcp = (packet) => packet[1] >= 192 && packet[1] <= 223;

/** What went one way: packets, those dropped, and both by RTP payload type. */
class Direction {
  loss = 0;
  packets = 0;
  dropped = 0;
  rtcp = { packets: 0, dropped: 0 };
  byPayloadType = new Map();
  #random;

  constructor(seed) {
    this.#random = seeded(seed);
  }

  passes(packet) {
    this.packets += 1;
    if (!isRtpOrRtcp(packet)) return true;
    const lost = this.loss > 0 && this.#random() < this.loss;
    const count = isRtcp(packet) ? this.rtcp : this.#payloadType(packet[1] & 0x7f);
    count.packets += 1;
    if (!lost) return true;
    count.dropped += 1;
    this.dropped += 1;
    return false;
  }

  /** The sums over some payload types. */
  sum(payloadTypes) {
    const sum = { packets: 0, dropped: 0 };
    for (const payloadType of payloadTypes) {
      const count = this.byPayloadType.get(payloadType);
      sum.packets += count?.packets ?? 0;
      sum.dropped += count?.dropped ?? 0;
    }
    return sum;
  }

  #payloadType(payloadType) {
    let count = this.byPayloadType.get(payloadType);
    if (count === undefined) this.byPayloadType.set(payloadType, (count = { packets: 0, dropped: 0 }));
    return count;
  }
}

export class UdpProxy {
  /** From the browsers to the server, and back. */
  up;
  down;
  #address = LOOPBACK;
  #listeners = [];
  #flows = new Map();
  #refused = 0;

  /**
   * Listens on `ports[n]` of `address` for what goes to `targets[n]` of the same address. Firefox throws away the server's answer to a
   * check when it names a loopback address as the one the check came from: with Firefox, `address` must be another one.
   */
  static async start({ address = LOOPBACK, ports, targets, seed = 1 }) {
    const proxy = new UdpProxy();
    proxy.#address = address;
    proxy.up = new Direction(seed);
    proxy.down = new Direction(seed + 1);
    for (const [index, port] of ports.entries()) proxy.#listeners.push(await proxy.#listen(port, targets[index]));
    return proxy;
  }

  /** Loses this share of the media packets each way from now on. */
  lose(share) {
    this.up.loss = share;
    this.down.loss = share;
  }

  /** Gives every flow a new upstream port. What is still sent to the old one is lost, as with a NAT. */
  rebind() {
    for (const flow of this.#flows.values()) {
      const old = flow.socket;
      flow.socket = this.#upstream(flow);
      old.close();
    }
    return this.#flows.size;
  }

  /** What to print: packets and losses each way. */
  figures() {
    const of = ({ packets, dropped, rtcp }) => ({ packets, dropped, rtcp: rtcp.packets });
    return { flows: this.#flows.size, refused: this.#refused, up: of(this.up), down: of(this.down) };
  }

  close() {
    for (const listener of this.#listeners) listener.close();
    for (const flow of this.#flows.values()) flow.socket.close();
    this.#flows.clear();
  }

  #listen(port, target) {
    const listener = createSocket('udp4');
    listener.on('message', (packet, from) => {
      const flow = this.#flow(listener, from, target);
      if (flow !== null && this.up.passes(packet)) flow.socket.send(packet, target, this.#address);
    });
    return new Promise((resolve, reject) => {
      listener.once('error', reject);
      listener.bind(port, this.#address, () => {
        listener.off('error', reject);
        listener.on('error', () => {});
        listener.setRecvBufferSize(4 << 20);
        resolve(listener);
      });
    });
  }

  #flow(listener, from, target) {
    const name = `${from.address}:${from.port}:${target}`;
    const known = this.#flows.get(name);
    if (known !== undefined) return known;
    if (this.#flows.size >= MAX_FLOWS) {
      this.#refused += 1;
      return null;
    }
    const flow = { listener, from, socket: null };
    flow.socket = this.#upstream(flow);
    this.#flows.set(name, flow);
    return flow;
  }

  #upstream(flow) {
    const socket = createSocket('udp4');
    socket.on('message', (packet) => {
      if (this.down.passes(packet)) flow.listener.send(packet, flow.from.port, flow.from.address);
    });
    socket.on('error', () => {}); // The server may be restarting: its port is then closed for a while.
    socket.unref();
    return socket;
  }
}

// A STUN server behind a NAT that is not there: whoever asks is told the address of the command line (RFC 8489 §7.3.1, §14.2).
// node stun-server.mjs PORT ADDRESS ANSWERS. Says `ready`, and ends after so many answers or a minute.

import { createSocket } from 'node:dgram';

const [port, address, answers] = process.argv.slice(2);
const COOKIE = 0x2112a442;
const LIFETIME_MS = 60_000;
let left = Number(answers);

const socket = createSocket('udp4');
socket.on('message', (request, from) => {
  const answer = Buffer.alloc(32);
  request.copy(answer, 0, 0, 20);
  answer.writeUInt16BE(0x0101, 0);
  answer.writeUInt16BE(12, 2);
  answer.writeUInt16BE(0x0020, 20);
  answer.writeUInt16BE(8, 22);
  answer.writeUInt16BE(1, 24);
  answer.writeUInt16BE(from.port ^ (COOKIE >>> 16), 26);
  const ip = address.split('.').reduce((value, octet) => value * 256 + Number(octet), 0);
  answer.writeUInt32BE((ip ^ COOKIE) >>> 0, 28);
  left -= 1;
  socket.send(answer, from.port, from.address, () => left === 0 && process.exit(0));
});
socket.bind(Number(port), () => console.log('ready'));
setTimeout(() => process.exit(0), LIFETIME_MS);

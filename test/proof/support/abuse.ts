// What nobody should send to an agent's socket: noise, requests that never end, headers without bound, methods that there are not.
import { createConnection, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../support/worlds/random.ts';

const HUGE_BYTES = 200_000;
const NOISE_BYTES = 2000;
const CONNECT_MS = 5;

/** Connects so many times and sends something bad each time. What is left half open is so until the returned function is called. */
export async function abuseApi(path: string, random: Random, connections: number): Promise<() => void> {
  const sockets: Socket[] = [];
  for (let number = 0; number < connections; number += 1) {
    const socket = createConnection(path);
    socket.on('error', () => undefined);
    socket.write(badRequest(random));
    sockets.push(socket);
    await sleep(CONNECT_MS);
  }
  return () => {
    for (const socket of sockets) socket.destroy();
  };
}

function badRequest(random: Random): Uint8Array | string {
  const noise = () => Uint8Array.from({ length: 1 + random.below(NOISE_BYTES) }, () => random.below(256));
  return random.pick<() => Uint8Array | string>([
    noise,
    () => 'GET /v1/status HTTP/1.1\r\nHost: x\r\n',
    () => `GET /v1/status HTTP/1.1\r\nX: ${'x'.repeat(HUGE_BYTES)}\r\n\r\n`,
    () => 'POST /apply HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\n{',
    () => 'POST /apply HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n[[[[[',
    () => `BREW /${'%ff'.repeat(random.below(200))} HTTP/1.1\r\nHost: x\r\n\r\n`,
  ])();
}

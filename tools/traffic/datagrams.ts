// Sends UDP datagrams of given sizes, large ones in fragments, and says which were answered: `datagrams TARGETS`, a JSON array of
// DatagramTarget. Runs in the namespace of a workload; prints a JSON array with an array of sizes for each target.
import { createSocket } from 'node:dgram';
import type { DatagramTarget } from './programs.ts';

/** Since anything was sent or heard. */
const WAIT_MS = 1500;
const targets = JSON.parse(process.argv[2] ?? '[]') as DatagramTarget[];
const answered = targets.map(() => new Set<number>());

const timer = setTimeout(() => {
  process.stdout.write(JSON.stringify(answered.map((sizes) => [...sizes].sort((a, b) => a - b))));
  process.exit(0);
}, WAIT_MS);

for (const [index, { address, port, sizes }] of targets.entries()) {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  /** The first byte says which of them an answer belongs to: an echo may be cut short. */
  socket.on('message', (bytes) => {
    answered[index]?.add(sizes[bytes[0] ?? 0] ?? 0);
    timer.refresh();
  });
  // What is refused or unreachable is not answered.
  socket.on('error', () => {});
  for (const [mark, size] of sizes.entries()) socket.send(Buffer.alloc(size, mark), port, address, () => {});
}

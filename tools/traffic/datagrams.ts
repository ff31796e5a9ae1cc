// Sends UDP datagrams of given sizes, large ones in fragments, and says which were answered: `datagrams ADDRESS PORT SIZE...`.
// Runs in the namespace of a workload; prints a JSON array of sizes.
import { createSocket } from 'node:dgram';

const WAIT_MS = 1500;
const [address = '', port = '', ...sizes] = process.argv.slice(2);
const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
const answered = new Set<number>();
/** The first byte says which of them an answer belongs to: an echo may be cut short. */
socket.on('message', (bytes) => answered.add(Number(sizes[bytes[0] ?? 0])));
// What is refused or unreachable is not answered.
socket.on('error', () => {});
for (const [index, size] of sizes.entries())
  socket.send(Buffer.alloc(Number(size), index), Number(port), address, () => {});
setTimeout(() => {
  process.stdout.write(JSON.stringify([...answered].sort((a, b) => a - b)));
  process.exit(0);
}, WAIT_MS);

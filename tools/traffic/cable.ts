// The wire between guests: a switch that QEMU's stream network devices plug into. It learns addresses as any switch does.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** Before each frame, its length in network order: what `-netdev stream` speaks. */
const LENGTH_SIZE = 4;
const MAC_SIZE = 6;

export class Cable {
  readonly path: string;
  readonly #server: Server;
  readonly #ports = new Set<Socket>();
  readonly #portOf = new Map<string, Socket>();

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => this.#plug(socket));
  }

  /** A guest whose device connects to the path is on the cable, until it ends. */
  static async open(path: string): Promise<Cable> {
    const cable = new Cable(path);
    cable.#server.listen(path);
    await once(cable.#server, 'listening');
    return cable;
  }

  /** How many devices are on it. */
  get plugged(): number {
    return this.#ports.size;
  }

  close(): void {
    this.#server.close();
    for (const port of this.#ports) port.destroy();
    rmSync(this.path, { force: true });
  }

  #plug(socket: Socket): void {
    this.#ports.add(socket);
    let held: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      while (held.length - at >= LENGTH_SIZE) {
        const end = at + LENGTH_SIZE + held.readUInt32BE(at);
        if (end > held.length) break;
        this.#forward(held.subarray(at, end), socket);
        at = end;
      }
      held = held.subarray(at);
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ports.delete(socket);
      for (const [mac, port] of this.#portOf) if (port === socket) this.#portOf.delete(mac);
    });
  }

  #forward(frame: Buffer, from: Socket): void {
    const mac = (index: number) =>
      frame.toString('latin1', LENGTH_SIZE + index * MAC_SIZE, LENGTH_SIZE + (index + 1) * MAC_SIZE);
    this.#portOf.set(mac(1), from);
    const known = this.#portOf.get(mac(0));
    if (known !== undefined && known !== from) known.write(frame);
    else if (known === undefined) for (const port of this.#ports) if (port !== from) port.write(frame);
  }
}

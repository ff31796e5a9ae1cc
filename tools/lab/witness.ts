// Numbered packets between two namespaces of a lab, and the fate of each as it becomes known. Which of them ought to arrive is not
// known here.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { DataplaneError } from '../../src/base/errors.ts';
import { netnsPath } from '../../src/bench/net-namespaces.ts';
import { ensureProgram } from './build-program.ts';
import { HOST, type Lab } from './namespaces.ts';

/** udp: one socket; new: a source port for each datagram; tcp: one connection; syn: a connection for each. */
export type WitnessKind = 'udp' | 'new' | 'syn' | 'tcp';

export interface WitnessFlow {
  readonly kind: WitnessKind;
  readonly address: string;
  readonly port: number;
}

/** late: it came after it was said to be lost; when it was sent is not known any more. */
export type Fate = 'lost' | 'came' | 'late';

/** One packet (for syn: one connection, for tcp: one message). Times are CLOCK_MONOTONIC, as process.hrtime has it. */
export interface PacketRecord {
  /** Index of the flow. */
  readonly flow: number;
  readonly fate: Fate;
  readonly number: number;
  readonly sentNs: number;
  /** 0 for what is lost. */
  readonly cameNs: number;
}

const FATES: readonly (Fate | undefined)[] = [undefined, 'lost', 'came', 'late'];
const RECORD_BYTES = 24;
const HIGH_WORD = 2 ** 32;

/** Runs until stop() or until the lab ends. */
export class Witness {
  readonly #child: ChildProcess;
  readonly #onRecord: (record: PacketRecord) => void;
  #rest: Buffer = Buffer.alloc(0);

  private constructor(child: ChildProcess, onRecord: (record: PacketRecord) => void) {
    this.#child = child;
    this.#onRecord = onRecord;
    child.stdout?.on('data', (chunk: Buffer) => this.#receive(chunk));
  }

  /** Sends from `client` to the addresses of `server`, two workloads, a packet of each flow at every tick. Compiles the program first if need be. */
  static async start(
    lab: Lab,
    client: string,
    server: string,
    flows: readonly WitnessFlow[],
    tickMs: number,
    onRecord: (record: PacketRecord) => void,
  ): Promise<Witness> {
    const program = await ensureProgram('witness');
    const places = [client, server].map((name) => netnsPath(lab.namespace(name)));
    const words = flows.map(({ kind, address, port }) => `${kind},${address},${port}`);
    return new Witness(
      lab.spawn(HOST, [program, ...places, String(tickMs * 1000), ...words], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
      onRecord,
    );
  }

  /** Resolves when the fate of every packet has been told. Throws KERNEL if the program failed. */
  async stop(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin?.end('\n');
    await closed;
    if (this.#child.exitCode === 0) return;
    throw new DataplaneError('KERNEL', `ended with ${this.#child.signalCode ?? this.#child.exitCode}`, {
      operation: 'run',
      target: 'witness',
    });
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.length - (bytes.length % RECORD_BYTES);
    for (let at = 0; at < end; at += RECORD_BYTES) {
      const fate = FATES[bytes.readUInt16LE(at + 2)];
      if (fate === undefined) continue;
      this.#onRecord({
        flow: bytes.readUInt16LE(at),
        fate,
        number: bytes.readUInt32LE(at + 4),
        sentNs: readNumber(bytes, at + 8),
        cameNs: readNumber(bytes, at + 16),
      });
    }
    this.#rest = bytes.subarray(end);
  }
}

/** Nanoseconds since boot fit a double for a hundred days. */
function readNumber(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * HIGH_WORD;
}

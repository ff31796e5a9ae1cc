// Programs that every network person knows, run in a workload's namespace and read: ping and iperf3. No expectation here.
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findProject } from '../lab/project.ts';
import type { RemoteProcess } from './remote-process.ts';

/** Runs programs in one network namespace of one machine, its own one included. */
export interface Place {
  spawn(argv: readonly string[]): RemoteProcess;
  run(
    argv: readonly string[],
  ): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
}

export interface PingCount {
  readonly sent: number;
  readonly answered: number;
}

export interface PingAnswer extends PingCount {
  /** Of the path, as a router or this end told it; undefined if nobody did. */
  readonly mtu: number | undefined;
}

const DATAGRAMS = join('dist-tools', 'tools', 'traffic', 'datagrams.js');
const KNOCK_EVERY_S = '0.02';

/** A few echo requests of so many bytes of payload; `isWhole` forbids fragments on the way. */
export async function ping(place: Place, address: string, size: number, isWhole: boolean): Promise<PingAnswer> {
  const sizes = ['-s', String(size), '-M', isWhole ? 'do' : 'dont'];
  const { stdout, stderr } = await place.run(['ping', '-n', '-c', '3', '-i', '0.2', '-W', '2', ...sizes, address]);
  const mtu = /mtu\s*[=:]\s*(\d+)/i.exec(stdout + stderr)?.[1];
  return { ...readCount(stdout), mtu: mtu === undefined ? undefined : Number(mtu) };
}

/** Pings each address fifty times a second until the function that is returned is called. Cheap: no fragment of it is ours. */
export function knock(place: Place, addresses: readonly string[]): () => Promise<PingCount[]> {
  const running = addresses.map((address) => {
    const process = place.spawn(['ping', '-n', '-q', '-i', KNOCK_EVERY_S, address]);
    let text = '';
    process.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const ended = new Promise((resolve) => process.once('close', resolve));
    return { process, ended, text: () => text };
  });
  return () =>
    Promise.all(
      running.map(async ({ process, ended, text }) => {
        process.kill('SIGINT');
        await ended;
        return readCount(text());
      }),
    );
}

export interface DatagramTarget {
  readonly address: string;
  readonly port: number;
  /** At most 256 of them, in bytes of payload. */
  readonly sizes: readonly number[];
}

/** Which sizes of datagrams were answered, for each target: all in one program, for in a slow guest it is its start that takes time. */
export async function datagrams(place: Place, targets: readonly DatagramTarget[]): Promise<number[][]> {
  const program = join(findProject(), DATAGRAMS);
  const { stdout } = await place.run([process.execPath, program, JSON.stringify(targets)]);
  return JSON.parse(stdout) as number[][];
}

export interface IperfRequest {
  readonly address: string;
  readonly port: number;
  /** `-n 2M`, `-t 2`, `-u -l 8000`, as iperf3 takes them. */
  readonly words: readonly string[];
}

export interface IperfCount {
  readonly bytes: number;
  readonly bitsPerSecond: number;
  /** Datagrams; 0 for TCP. */
  readonly lost: number;
  /** Undefined = it went well. */
  readonly error: string | undefined;
}

interface IperfReport {
  readonly error?: string;
  readonly end?: {
    readonly sum_received?: { readonly bytes: number; readonly bits_per_second: number };
    readonly sum?: { readonly bytes: number; readonly bits_per_second: number; readonly lost_packets?: number };
  };
}

/** One run of iperf3 from one place to another: what the receiver got. One at a time for each address. */
export async function iperf(from: Place, to: Place, { address, port, words }: IperfRequest): Promise<IperfCount> {
  const server = to.spawn([
    'iperf3',
    '--server',
    '--one-off',
    '--forceflush',
    '--bind',
    address,
    '--port',
    String(port),
  ]);
  const closed = new Promise((resolve) => server.once('close', resolve));
  try {
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: server.stdout }).on('line', (line) => line.includes('listening') && resolve());
      void closed.then(() => reject(new Error('iperf3 does not listen')));
    });
    const { stdout } = await from.run(['iperf3', '--client', address, '--port', String(port), '--json', ...words]);
    const { error, end } = JSON.parse(stdout) as IperfReport;
    const sum = end?.sum_received ?? end?.sum;
    return {
      bytes: sum?.bytes ?? 0,
      bitsPerSecond: sum?.bits_per_second ?? 0,
      lost: end?.sum?.lost_packets ?? 0,
      error,
    };
  } finally {
    server.kill('SIGKILL');
    await closed;
  }
}

function readCount(text: string): PingCount {
  const found = /(\d+) packets transmitted, (\d+) received/.exec(text);
  return { sent: Number(found?.[1] ?? 0), answered: Number(found?.[2] ?? 0) };
}

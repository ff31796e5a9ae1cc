// A traffic peer in one namespace, as typed calls: echo servers, probes, long-lived streams. What ought to be open is not known here.
import type { SpawnOptions } from 'node:child_process';
import { type EventEmitter, once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { DataplaneError } from '../../src/base/errors.ts';
import { ensurePeer } from './build-peer.ts';
import { PATIENCE } from './patience.ts';
import { Stream, type StreamReport, type StreamState } from './stream.ts';

export type ServedTransport = 'tcp' | 'udp' | 'sctp';
export type Transport = ServedTransport | 'icmp';

/**
 * `open`: the destination's answer came back (for TCP and UDP the echo of what was sent). `refused`: a TCP reset, ICMP port
 * unreachable or SCTP abort. `reset`: closed after the handshake. `unreachable`: any other ICMP error, or no route.
 */
export type ProbeResult = 'open' | 'refused' | 'reset' | 'timeout' | 'unreachable';

export interface ProbeRequest {
  readonly transport: Transport;
  readonly address: string;
  /** Not used by ICMP. */
  readonly port?: number;
  readonly timeoutMs?: number;
  readonly sourceAddress?: string;
  /** For ICMP the echo identifier. */
  readonly sourcePort?: number;
}

export interface ProbeAnswer {
  readonly result: ProbeResult;
  readonly ms: number;
  readonly detail?: string;
}

export interface StreamRequest {
  readonly address: string;
  readonly port: number;
  readonly intervalMs?: number;
}

/** What a storm sent, and how many of its datagrams were answered. */
export interface StormCount {
  readonly sent: number;
  readonly answered: number;
}

/** One line of the program's output. */
interface PeerLine {
  readonly ready?: number;
  readonly id?: string;
  readonly result?: ProbeResult | 'ok' | 'error';
  readonly ms?: number;
  readonly detail?: string;
  readonly state?: StreamState;
  readonly alive?: number;
  readonly gapMs?: number;
  readonly lost?: number;
  readonly sent?: number;
  readonly answered?: number;
}

interface Waiter {
  readonly command: string;
  readonly resolve: (line: PeerLine) => void;
  readonly reject: (error: Error) => void;
}

const DEFAULT_TIMEOUT_MS = 1000;
/** Datagrams a millisecond: tens of thousands a second are nothing here, and all that a slow guest can do. */
const STORM_BURST = PATIENCE > 1 ? 1 : 48;
const DEFAULT_INTERVAL_MS = 20;
const START_ID = 'ready';

/** What runs the program: a process of this machine or of another. */
export interface PeerProcess extends EventEmitter {
  readonly stdin: Writable | null;
  readonly stdout: Readable | null;
  readonly exitCode: number | null;
}

/** Where namespaces are known by name: a lab, here or elsewhere. */
export interface PeerPlace {
  spawn(name: string, argv: readonly string[], options: SpawnOptions): PeerProcess;
}

/** The program runs until close() or until this process ends, whichever comes first. */
export class Peer {
  readonly name: string;
  readonly #child: PeerProcess;
  readonly #waiters = new Map<string, Waiter>();
  readonly #streams = new Map<string, Stream>();
  #nextId = 1;
  #closed = false;
  #hasEnded = false;

  private constructor(name: string, child: PeerProcess) {
    this.name = name;
    this.#child = child;
  }

  /** Starts the peer of a namespace of the lab; compiles the program first if need be. Throws KERNEL if it does not come up. */
  static async start(lab: PeerPlace, name: string): Promise<Peer> {
    const program = await ensurePeer();
    const peer = new Peer(name, lab.spawn(name, [program], { stdio: ['pipe', 'pipe', 'inherit'] }));
    await peer.#open();
    return peer;
  }

  /** Echo servers on these ports of every address, both families. SCTP answers the handshake only. Throws KERNEL. */
  async listen(transport: ServedTransport, ports: readonly number[]): Promise<void> {
    if (ports.length > 0) await this.#ask('listen', `${transport} ${ports.join(' ')}`);
  }

  /** One attempt to reach a destination. Never rejects for what the network does; throws KERNEL for a probe that cannot be made. */
  async probe(request: ProbeRequest): Promise<ProbeAnswer> {
    const { transport, address, port = 0, timeoutMs = DEFAULT_TIMEOUT_MS, sourceAddress, sourcePort } = request;
    const source = `${sourceAddress === undefined ? '' : ` from=${sourceAddress}`}${sourcePort === undefined ? '' : ` port=${sourcePort}`}`;
    const line = await this.#ask('probe', `${transport} ${address} ${port} ${timeoutMs}${source}`);
    return {
      result: line.result as ProbeResult,
      ms: line.ms ?? 0,
      ...(line.detail === undefined ? {} : { detail: line.detail }),
    };
  }

  /** Opens a TCP connection that sends a counter every `intervalMs` and reports what comes back. */
  stream(request: StreamRequest): Stream {
    const id = this.#newId();
    const stream = new Stream(() => this.#write(`stop ${id}`));
    this.#streams.set(id, stream);
    this.#write(`stream ${id} tcp ${request.address} ${request.port} ${request.intervalMs ?? DEFAULT_INTERVAL_MS}`);
    return stream;
  }

  /**
   * Sends UDP datagrams from ever new source ports, tens of thousands a second, until the function that is returned is called.
   * That resolves once the last answer can have come. An answer is a datagram from the port that the storm goes to.
   */
  storm(address: string, port: number): () => Promise<StormCount> {
    const id = this.#newId();
    const ended = new Promise<PeerLine>((resolve, reject) => {
      this.#waiters.set(id, { command: `storm ${address} ${port}`, resolve, reject });
      this.#write(`storm ${id} udp ${address} ${port} ${STORM_BURST}`);
    });
    // Whoever never asks for the counts must not be told by an unhandled rejection that the peer has ended.
    ended.catch(() => {});
    return async () => {
      this.#write(`stop ${id}`);
      const { sent = 0, answered = 0 } = await ended;
      return { sent, answered };
    };
  }

  /** Ends the program; its servers, probes and streams go with it. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#hasEnded) return;
    const ended = once(this.#child, 'close');
    this.#child.stdin?.end();
    await ended;
  }

  async #open(): Promise<void> {
    this.#child.on('error', (error) => this.#fail(error));
    this.#child.on('close', () => {
      this.#hasEnded = true;
      this.#fail();
    });
    this.#child.stdin?.on('error', () => {});
    if (this.#child.stdout) createInterface({ input: this.#child.stdout }).on('line', (text) => this.#receive(text));
    await new Promise<PeerLine>((resolve, reject) =>
      this.#waiters.set(START_ID, { command: 'start', resolve, reject }),
    );
  }

  #newId(): string {
    const id = String(this.#nextId);
    this.#nextId += 1;
    return id;
  }

  #ask(verb: string, rest: string): Promise<PeerLine> {
    const id = this.#newId();
    return new Promise((resolve, reject) => {
      this.#waiters.set(id, { command: `${verb} ${rest}`, resolve, reject });
      this.#write(`${verb} ${id} ${rest}`);
    });
  }

  #write(command: string): void {
    if (this.#closed || this.#child.exitCode !== null) this.#fail();
    else this.#child.stdin?.write(`${command}\n`);
  }

  #receive(text: string): void {
    const line = JSON.parse(text) as PeerLine;
    const id = line.ready === undefined ? (line.id ?? '') : START_ID;
    if (line.state !== undefined) {
      const stream = this.#streams.get(id);
      stream?.accept(line as StreamReport);
      if (stream?.isEnded) this.#streams.delete(id);
      return;
    }
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    if (line.result === 'error') waiter?.reject(this.#error(waiter.command, line.detail ?? 'unknown'));
    else waiter?.resolve(line);
  }

  #fail(cause?: Error): void {
    for (const waiter of this.#waiters.values())
      waiter.reject(this.#error(waiter.command, 'the peer has ended', cause));
    this.#waiters.clear();
    for (const stream of this.#streams.values()) stream.abandon();
    this.#streams.clear();
  }

  #error(command: string, what: string, cause?: Error): DataplaneError {
    return new DataplaneError('KERNEL', what, { operation: 'peer', target: `${this.name}: ${command}`, cause });
  }
}

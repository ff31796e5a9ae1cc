// The guard's program over the tables of a host: lists that the host's hooks ask too, and sockets of a namespace of its own. Runs are
// at the loopback interface, number 1, which is made to look like one of the machine's own.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import type { TestRunResult } from '../../../native/index.d.ts';
import type { Event } from '../../../src/abi/event.gen.ts';
import type { GuardReason } from '../../../src/abi/guard.gen.ts';
import type { GuardCare } from '../../../src/kernel/guard-care.ts';
import { type GuardDrops, GuardObject } from '../../../src/kernel/guard-object.ts';
import { GuardPolicy } from '../../../src/kernel/guard-policy.ts';
import { loadNative } from '../../../src/kernel/native.ts';
import { Pins } from '../../../src/kernel/pins.ts';
import { HostMachine } from './host-machine.ts';

export const WIRE = 1;
/** Of the frames that tests make unless told otherwise. */
export const WIRE_MAC = '00:00:00:00:00:00';
export const WIRE_MTU = 1500;

const ACTIONS = { 1: 'drop', 2: 'pass', 3: 'tx' } as const;
const CARE: GuardCare = { interfaces: [], sourceRate: 0, listenerRate: 1_000_000, isProtectedPort: () => true };

let machines = 0;

export interface WireOutcome {
  readonly action: 'drop' | 'pass' | 'tx';
  /** Of the reason that counted it; empty = none did. */
  readonly reason: string;
  readonly events: readonly Event[];
  readonly data: Uint8Array;
}

export class GuardMachine {
  readonly host = new HostMachine();
  readonly guard: GuardObject;
  readonly policy: GuardPolicy;
  readonly #pins: string;
  readonly #namespace: string;
  readonly #peers: ChildProcess[] = [];

  constructor() {
    machines += 1;
    this.#namespace = `ttguard-${process.pid}-${machines}`;
    this.#pins = `/sys/fs/bpf/tortie-guard-${process.pid}-${machines}`;
    execFileSync('ip', ['netns', 'add', this.#namespace]);
    const pins = new Pins(this.#pins);
    pins.create('/sys/fs/bpf');
    for (const name of ['tt_heap', 'tt_v6_nodes', 'tt_state', 'tt_counters', 'tt_events']) {
      this.host.machine.map(name).pin(pins.map(name));
    }
    this.host.object.map('tt_host_ifaces').pin(pins.map('tt_host_ifaces'));
    this.policy = GuardPolicy.open(pins) as GuardPolicy;
    this.guard = new GuardObject({ blocks: 128, policy: this.policy.guardMaps });
  }

  close(): void {
    for (const peer of this.#peers) peer.kill('SIGKILL');
    this.guard.close();
    this.policy.close();
    this.host.close();
    rmSync(this.#pins, { recursive: true, force: true });
    execFileSync('ip', ['netns', 'del', this.#namespace]);
  }

  /** Runs a program in the namespace. */
  exec(...argv: readonly string[]): void {
    execFileSync('ip', ['netns', 'exec', this.#namespace, ...argv]);
  }

  /** Has sockets listen in the namespace, each at an address and port, until close. */
  async listen(...places: readonly (readonly [host: string, port: number])[]): Promise<void> {
    const open =
      '([host, port]) => new Promise((done) => net.createServer().listen({ host, port, ipv6Only: true }, done))';
    await this.#hold(`Promise.all(places.map(${open})).then(() => console.log('ready'))`, places);
  }

  /** A connection within the namespace, until close. Resolves to the port that it comes from. */
  async connect(host: string, port: number): Promise<number> {
    const script = 'const socket = net.connect(...places, () => console.log(socket.localPort))';
    return Number(await this.#hold(script, [port, host]));
  }

  /** Runs a script in the namespace until close. Resolves to what it says first. */
  async #hold(script: string, places: unknown): Promise<string> {
    const whole = `const net = require('node:net'); const places = JSON.parse(process.argv[1]); ${script}`;
    const argv = ['netns', 'exec', this.#namespace, process.execPath, '-e', whole, JSON.stringify(places)];
    const peer = spawn('ip', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#peers.push(peer);
    return String(await once(peer.stdout as NodeJS.ReadableStream, 'data'));
  }

  inNamespace<T>(call: () => T): T {
    return loadNative().inNamespace(`/run/netns/${this.#namespace}`, call);
  }

  /** What is done at the interface; nothing unless said. */
  care(
    asked: { readonly lists?: boolean; readonly syns?: boolean; readonly mac?: string },
    more: Partial<GuardCare> = {},
  ) {
    const { lists: asksLists = false, syns: countsSyns = false, mac = WIRE_MAC } = asked;
    const one = { ifindex: WIRE, name: 'lo', mac, mtu: WIRE_MTU, asksLists, countsSyns };
    this.guard.take({ ...CARE, ...more, interfaces: asksLists || countsSyns ? [one] : [] });
  }

  run(frame: Uint8Array): WireOutcome {
    let result: TestRunResult | undefined;
    const observed = this.host.machine.observe(() => {
      result = this.inNamespace(() => this.guard.run(frame));
    });
    const { returnValue, data } = result as TestRunResult;
    return { action: ACTIONS[returnValue as keyof typeof ACTIONS], data, ...observed };
  }

  drops(reason: GuardReason): GuardDrops {
    return this.guard.drops(reason);
  }
}

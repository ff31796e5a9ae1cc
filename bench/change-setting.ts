// A real agent in a namespace of its own, with workloads that have interfaces, on a directory of manifests: how long
// after a file is replaced is its policy in force?
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Root, State } from '../src/abi/heap.gen.ts';
import { loadNative } from '../src/kernel/native.ts';
import { Pins } from '../src/kernel/pins.ts';
import { Agent } from '../tools/lab/agent.ts';
import { Lab } from '../tools/lab/namespaces.ts';
import { Peer } from '../tools/lab/peer.ts';
import type { BenchRun } from './run.ts';

export const BENCH_NODE = 'node-0';
export const PROBED_PORT = 7000;
const START_LIMIT_MS = 300_000;
const CHANGE_LIMIT_MS = 20_000;
/** Between changes: what the agent does after one (waiting for readers, writing down what it accepted) is not measured. */
export const REST_MS = 40;
const REMEMBER_POLL_MS = 500;
/** Part of what is measured. Without a pause the agent, woken on this CPU, would wait for it to be free. */
const POLL_MS = 0.1;
/** In memory: a file system that writes a replaced file out makes whoever replaces it wait, by as much as the disk likes. */
const MEMORY = '/dev/shm';
const HOSTS_PER_NET = 250;
const PAUSE = new Int32Array(new SharedArrayBuffer(4));

export interface SettingOptions {
  /** Workloads that are there, as `pod-<n>`, each with an interface. */
  readonly workloads: number;
  /** Text by file name. */
  readonly files: ReadonlyMap<string, string>;
  readonly limits?: readonly string[];
}

export class ChangeSetting {
  readonly directory: string;
  readonly #lab: Lab;
  readonly #options: SettingOptions;
  #agent: Agent | undefined;
  #state: Uint32Array | undefined;
  #probes: { readonly from: Peer; readonly to: Peer } | undefined;

  private constructor(lab: Lab, options: SettingOptions, directory: string) {
    this.#lab = lab;
    this.#options = options;
    this.directory = directory;
  }

  /** The network and the manifests; no agent yet. Undone when the section ends. */
  static async create(run: BenchRun, options: SettingOptions): Promise<ChangeSetting> {
    Lab.sweep();
    const workloads = Array.from({ length: options.workloads }, (_, index) => ({
      name: `pod-${index}`,
      hostInterface: interfaceOf(index),
      addresses: [addressOf(index)],
    }));
    const lab = await Lab.create({ workloads });
    run.onEnd(() => lab.close());
    const directory = existsSync(MEMORY)
      ? mkdtempSync(join(MEMORY, 'tortie-bench-'))
      : join(lab.directory, 'manifests');
    run.onEnd(() => rmSync(directory, { recursive: true, force: true }));
    const setting = new ChangeSetting(lab, options, directory);
    mkdirSync(directory, { recursive: true });
    for (const [name, text] of options.files) writeFileSync(join(setting.directory, name), text);
    return setting;
  }

  /** Starts the agent; resolves once everything is in force, with the milliseconds that took. */
  async start(manifests = this.directory): Promise<number> {
    const startMs = performance.now();
    const { limits } = this.#options;
    this.#agent = Agent.launch(this.#lab, { manifests, node: BENCH_NODE, limits });
    await this.#agent.waitFor((status) => status.inSync && status.generation > 0, START_LIMIT_MS);
    const tookMs = performance.now() - startMs;
    const pin = new Pins(join(this.#lab.bpffs, 'tortie')).map('tt_state');
    this.#state ??= new Uint32Array(loadNative().BpfMap.openPinned(pin).mmap());
    return tookMs;
  }

  /** Resolves when the agent has loaded all manifests, those that it found in force included. */
  async waitUntilLoaded(): Promise<void> {
    await this.#agent?.waitFor((status) => status.inSync && !status.loading, START_LIMIT_MS);
  }

  /** Resolves when the agent has written down what it accepted and what is in force: its log has stopped growing. */
  async waitUntilRemembered(): Promise<void> {
    const state = join(this.#lab.directory, 'state');
    while (!existsSync(join(state, 'settled.json'))) await sleep(REMEMBER_POLL_MS);
    const log = join(state, 'accepted', 'manifests.log');
    let size = -1;
    for (let now = 0; now !== size; now = statSync(log).size) {
      size = now;
      await sleep(REMEMBER_POLL_MS);
    }
  }

  async killAgent(): Promise<void> {
    await this.#agent?.kill();
  }

  /** Process id of the agent. */
  get pid(): number {
    const isOurs = (pid: string): boolean => {
      const words = readCommand(pid);
      return words.includes('agent') && words.some((word) => word.startsWith(`${this.#lab.directory}/`));
    };
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isOurs(name));
    if (pid === undefined) throw new Error('the agent is not running');
    return Number(pid);
  }

  /** The number of the policy in force, which every packet reads before it is judged. */
  get generation(): number {
    const state = this.#state as Uint32Array;
    const active = Atomics.load(state, State.OFFSET.active / 4) & 1;
    return state[State.OFFSET.root / 4 + active * (Root.SIZE / 4) + Root.OFFSET.generation / 4] as number;
  }

  /**
   * Replaces the file as tools do it, by renaming another into its place; milliseconds from there until another policy
   * is in force: the next packet is judged by it.
   */
  async change(name: string, text: string): Promise<number> {
    const temporary = join(this.directory, `.${name}.new`);
    writeFileSync(temporary, text);
    return this.#measure(name, () => renameSync(temporary, join(this.directory, name)));
  }

  /** Deletes the file; the same. What is gone is missed for a while before it is believed. */
  async remove(name: string): Promise<number> {
    return this.#measure(name, () => unlinkSync(join(this.directory, name)));
  }

  async #measure(name: string, act: () => void): Promise<number> {
    await sleep(REST_MS);
    const before = this.generation;
    const startMs = performance.now();
    act();
    waitWhile(() => this.generation === before, CHANGE_LIMIT_MS, name);
    return performance.now() - startMs;
  }

  /** Whether pod-1 reaches pod-0 by a real datagram. */
  async isOpen(): Promise<boolean> {
    this.#probes ??= await this.#startProbes();
    const request = { transport: 'udp', address: addressOf(0), port: PROBED_PORT, timeoutMs: 500 } as const;
    return (await this.#probes.from.probe(request)).result === 'open';
  }

  async #startProbes(): Promise<{ readonly from: Peer; readonly to: Peer }> {
    const [from, to] = await Promise.all([Peer.start(this.#lab, 'pod-1'), Peer.start(this.#lab, 'pod-0')]);
    await to.listen('udp', [PROBED_PORT]);
    return { from, to };
  }
}

/** Blocks for as long as is() says so. Throws when that is too long. */
export function waitWhile(is: () => boolean, limitMs: number, name: string): void {
  const startMs = performance.now();
  while (is()) {
    if (performance.now() - startMs > limitMs) throw new Error(`${name}: nothing came of the change`);
    Atomics.wait(PAUSE, 0, 0, POLL_MS);
  }
}

export function interfaceOf(index: number): string {
  return `cali${index}`;
}

export function addressOf(index: number): string {
  return `10.66.${Math.floor(index / HOSTS_PER_NET)}.${1 + (index % HOSTS_PER_NET)}`;
}

function readCommand(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

// The lab: a host namespace, its workloads and outsiders, and programs run inside them. The machine's own network is never touched.
// What the network looks like is topology.ts; what travels over it is peer.ts.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { DataplaneError } from '../../src/base/errors.ts';
import { undoAtExit } from '../../src/bench/at-exit.ts';
import { type CommandOutput, runCommand } from '../../src/bench/command.ts';
import { enterNamespace } from '../../src/bench/net-namespaces.ts';
import { bpffsPath, labPath, newPrefix, removeLab, sweepLabs } from './leftovers.ts';
import {
  GUEST_SYSCTLS,
  HOST_SYSCTLS,
  type LabSpec,
  planTopology,
  planWorkload,
  type Sysctls,
  type WorkloadSpec,
} from './topology.ts';

/** The name of the namespace in the middle, for every method that takes a name. */
export const HOST = 'host';

const STOP_GRACE_MS = 2000;
function batch(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

/** A running network. Everything in it is removed by close(), by SIGINT and the like, and at the latest by a later Lab.sweep(). */
export class Lab {
  /** Begins the name of everything that this lab owns. */
  readonly prefix: string;
  readonly spec: LabSpec;
  /** For files of the programs that run in this lab; goes away with it. */
  readonly directory: string;
  /** A bpffs of this lab's own: what is pinned here goes away with the lab, and no other lab sees it. */
  readonly bpffs: string;
  readonly #children = new Set<ChildProcess>();
  #release = (): void => undefined;

  private constructor(spec: LabSpec, prefix: string) {
    this.spec = spec;
    this.prefix = prefix;
    this.directory = labPath(prefix);
    this.bpffs = bpffsPath(prefix);
  }

  /** Builds the network; on failure nothing of it stays. Needs root. Throws NOT_FOUND (no iproute2) or KERNEL. */
  static async create(spec: LabSpec): Promise<Lab> {
    const lab = new Lab(spec, newPrefix());
    lab.#release = undoAtExit(() => removeLab(lab.prefix));
    try {
      await lab.#build();
    } catch (error) {
      await lab.close();
      throw error;
    }
    return lab;
  }

  /** Removes what dead runs left on this machine. Returns the prefixes of those labs. */
  static sweep(): string[] {
    return sweepLabs();
  }

  /** The namespace's name for `ip netns`. `name` is HOST, a workload or an outsider. Throws NOT_FOUND. */
  namespace(name: string): string {
    const { workloads, outsiders = [] } = this.spec;
    if (name !== HOST && ![...workloads, ...outsiders].some((guest) => guest.name === name)) {
      throw new DataplaneError('NOT_FOUND', 'no such namespace', {
        operation: 'enter',
        target: `${this.prefix}-${name}`,
      });
    }
    return `${this.prefix}-${name}`;
  }

  /**
   * An argument vector that runs `argv` in a namespace. Only the network changes: unlike `ip netns exec` this keeps the mounts, so
   * /sys/fs/bpf stays visible. /sys/class/net keeps showing the outer namespace; use netlink or /proc/net inside.
   */
  enter(name: string, argv: readonly string[]): string[] {
    return enterNamespace(this.namespace(name), argv);
  }

  /** Output of a program in a namespace. Throws KERNEL if it ends with another status than 0. */
  exec(name: string, argv: readonly string[], input = ''): Promise<CommandOutput> {
    return runCommand(this.enter(name, argv), input);
  }

  /** Starts a program in a namespace; its pid is the program's own. It ends with the lab at the latest. */
  spawn(name: string, argv: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const [program = '', ...rest] = this.enter(name, argv);
    const child = spawn(program, rest, options);
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }

  /** Makes the veth pair of a workload that has none. The host's side is up, but nothing is routed to it. Throws NOT_FOUND or KERNEL. */
  async addInterface(name: string): Promise<void> {
    await this.#configure(HOST, planWorkload(this.#workload(name), this.namespace(name)).hostLinks);
  }

  /** Gives the interface that addInterface made its addresses and routes: from here on there can be traffic. Throws the same. */
  async connect(name: string): Promise<void> {
    const plan = planWorkload(this.#workload(name), this.namespace(name));
    await this.#configure(name, plan.guest);
    await this.#configure(HOST, plan.hostRoutes);
  }

  /** Removes a workload's veth pair, as the end of its pod does. Throws the same. */
  async removeInterface(name: string): Promise<void> {
    await this.#configure(HOST, [`link del ${this.#workload(name).hostInterface}`]);
  }

  /** Ends every program of the lab and removes its namespaces, links and bpffs. May be called again. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(stopChild));
    removeLab(this.prefix);
    this.#release();
  }

  #workload(name: string): WorkloadSpec {
    const workload = this.spec.workloads.find((one) => one.name === name);
    if (workload !== undefined) return workload;
    throw new DataplaneError('NOT_FOUND', 'no such workload', { operation: 'plug', target: `${this.prefix}-${name}` });
  }

  async #build(): Promise<void> {
    const plan = planTopology(this.spec, (name) => this.namespace(name));
    const names = [HOST, ...plan.guests.keys()].map((name) => this.namespace(name));
    mkdirSync(this.bpffs, { recursive: true });
    await Promise.all([
      runCommand(['ip', '-batch', '-'], batch(names.map((name) => `netns add ${name}`))),
      runCommand(['mount', '-t', 'bpf', this.prefix, this.bpffs]),
    ]);
    await this.#setSysctls(HOST, HOST_SYSCTLS);
    await this.#configure(HOST, plan.hostLinks);
    await Promise.all([...plan.guests].map(([name, lines]) => this.#configure(name, lines)));
    await Promise.all([...plan.guests.keys()].map((name) => this.#setSysctls(name, GUEST_SYSCTLS)));
    await this.#configure(HOST, plan.hostRoutes);
  }

  // /proc/sys/net is that of the process which opens it; tee writes one value to many files.
  async #setSysctls(name: string, sysctls: Sysctls): Promise<void> {
    const writes = Object.entries(sysctls).map(([value, paths]) =>
      this.exec(name, ['tee', ...paths.map((path) => `/proc/sys/net/${path}`)], value),
    );
    await Promise.all(writes);
  }

  async #configure(name: string, lines: readonly string[]): Promise<void> {
    await runCommand(['ip', '-n', this.namespace(name), '-batch', '-'], batch(lines));
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

// An arena: guests around a router in throw-away network namespaces. The machine's own network and rules are never touched.
// Who decides in the router is deciders.ts, what travels through it traffic.ts and sockets.ts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { DataplaneError } from '../base/errors.ts';
import { completeGuests, type Guest, planArena, ROUTER_SYSCTLS } from './arena-plan.ts';
import { type GuestSpec, ROUTER } from './arena-spec.ts';
import { undoAtExit } from './at-exit.ts';
import { type CommandOutput, runCommand } from './command.ts';
import { type ArenaClaim, arenaBpffs, arenaNamespace, claimArena, removeArena, sweepArenas } from './leftovers.ts';
import { enterNamespace, netnsPath } from './net-namespaces.ts';

const STOP_GRACE_MS = 2000;

/** Everything in it is removed by close(), at the end of the process, on SIGINT and the like, or by a later run's first arena. */
export class Arena {
  readonly guests: readonly Guest[];
  /** For files of what runs in the arena; goes away with it. */
  readonly directory: string;
  /** A bpffs of this arena's own. */
  readonly bpffs: string;
  readonly #claim: ArenaClaim;
  readonly #children = new Set<ChildProcess>();
  readonly #releases: (() => void)[] = [];

  private constructor(specs: readonly GuestSpec[], claim: ArenaClaim) {
    this.guests = completeGuests(specs);
    this.#claim = claim;
    this.directory = claim.directory;
    this.bpffs = arenaBpffs(claim.id);
  }

  /** Builds the network, in which nobody decides yet; on failure nothing of it stays. Throws PERMISSION, NOT_FOUND (no iproute2) or KERNEL. */
  static async create(guests: readonly GuestSpec[]): Promise<Arena> {
    if (process.getuid?.() !== 0) {
      throw new DataplaneError('PERMISSION', 'needs root', {
        operation: 'make',
        target: 'network namespaces',
        hint: 'run it with sudo',
      });
    }
    sweepArenas();
    const claim = claimArena();
    const arena = new Arena(guests, claim);
    arena.onClose(undoAtExit(() => removeArena(claim.id)));
    try {
      await arena.#build();
    } catch (error) {
      await arena.close();
      throw error;
    }
    return arena;
  }

  /** The guest of that name. Throws NOT_FOUND. */
  guest(name: string): Guest {
    const guest = this.guests.find((one) => one.name === name);
    if (guest !== undefined) return guest;
    throw new DataplaneError('NOT_FOUND', 'no such guest', {
      operation: 'enter',
      target: `arena ${this.#claim.id}`,
      found: name,
    });
  }

  /** Path of a namespace: ROUTER, or as the guests call theirs. */
  namespacePath(name: string): string {
    return netnsPath(this.#namespace(name));
  }

  /** Output of a program in a namespace. Throws NOT_FOUND or KERNEL. */
  exec(name: string, argv: readonly string[], input = ''): Promise<CommandOutput> {
    return runCommand(enterNamespace(this.#namespace(name), argv), input);
  }

  /** Starts a program in a namespace, its log to be read by the caller. It ends with the arena at the latest. */
  spawn(name: string, argv: readonly string[]): ChildProcess {
    const [program = '', ...rest] = enterNamespace(this.#namespace(name), argv);
    const child = spawn(program, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#children.add(child);
    child.once('close', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }

  /** Called by close(), last first. */
  onClose(release: () => void): void {
    this.#releases.push(release);
  }

  /** May be called again. */
  async close(): Promise<void> {
    await Promise.all([...this.#children].map(stopChild));
    for (const release of this.#releases.splice(0).reverse()) release();
    removeArena(this.#claim.id);
    this.#claim.lock.close();
  }

  #namespace(name: string): string {
    return arenaNamespace(this.#claim.id, name);
  }

  async #build(): Promise<void> {
    const plan = planArena(this.guests, (name) => this.#namespace(name));
    const names = [ROUTER, ...plan.guests.keys()].map((name) => `netns add ${this.#namespace(name)}`);
    await runCommand(['ip', '-batch', '-'], batch(names));
    await runCommand(['mount', '-t', 'bpf', `tortie-bench-${this.#claim.id}`, this.bpffs]);
    for (const [value, paths] of Object.entries(ROUTER_SYSCTLS)) {
      // /proc/sys/net is that of the process which opens it; tee writes one value to many files.
      await this.exec(ROUTER, ['tee', ...paths.map((path) => `/proc/sys/net/${path}`)], value);
    }
    await this.#configure(ROUTER, plan.routerLinks);
    for (const [name, lines] of plan.guests) await this.#configure(name, lines);
    await this.#configure(ROUTER, plan.routerRoutes);
  }

  async #configure(name: string, lines: readonly string[]): Promise<void> {
    await runCommand(['ip', '-n', this.#namespace(name), '-batch', '-'], batch(lines));
  }
}

function batch(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

// The agent of a lab: started in its host namespace with pins, state and socket of the lab's own, asked and ended like a user would.
// What it ought to enforce is not known here.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AgentStatus } from '../../src/agent/status.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import type { CommandOutput } from '../../src/bench/command.ts';
import { askAgent } from '../../src/cli/agent-client.ts';
import { HOST, type Lab } from './namespaces.ts';
import { PATIENCE } from './patience.ts';
import { programCommand, tortieCommand } from './project.ts';

export interface AgentOptions {
  /** Directory of manifests. */
  readonly manifests: string;
  readonly node?: string;
  readonly attach?: 'auto' | 'tcx' | 'clsact';
  readonly established?: 'revalidate' | 'keep';
  readonly onDeny?: 'drop' | 'reset';
  /** Between two looks at what the kernel does not tell of. */
  readonly auditSeconds?: number;
  /** `<name>=<number>`, as `--limit` takes them. */
  readonly limits?: readonly string[];
  /** Path of another build's command. */
  readonly program?: string;
  /** Runs the agent: the program and its first arguments. */
  readonly wrapper?: readonly string[];
  readonly stateDirectory?: string;
}

const LINES_KEPT = 40;
const START_LIMIT_MS = 20_000;
const POLL_EVERY_MS = 10;

/** Where the agents of a lab pin. */
export function pinRoot(lab: Lab): string {
  return join(lab.bpffs, 'tortie');
}

/** Takes the policy off a lab's interfaces and its pins out of the bpffs. No agent may be running. Throws KERNEL. */
export function cleanUp(lab: Lab): Promise<CommandOutput> {
  return lab.exec(HOST, tortieCommand('cleanup', '--bpffs', lab.bpffs, '--pin-root', pinRoot(lab)));
}

/** One agent process. It ends with the lab at the latest; what it enforces stays. */
export class Agent {
  readonly #lab: Lab;
  readonly #child: ChildProcess;
  readonly #log: string[] = [];

  private constructor(lab: Lab, child: ChildProcess) {
    this.#lab = lab;
    this.#child = child;
    if (child.stderr) createInterface({ input: child.stderr }).on('line', (line) => this.#remember(line));
  }

  /** Starts the agent without waiting for anything. Throws OBJECT_MISSING. */
  static launch(lab: Lab, options: AgentOptions): Agent {
    const { manifests, node = '*', attach = 'auto', established = 'revalidate', limits = [] } = options;
    const { program, wrapper = [], stateDirectory = join(lab.directory, 'state'), auditSeconds, onDeny } = options;
    const argv = ['agent', '--manifests', manifests, '--node', node, '--attach', attach, '--established', established];
    const places = ['--bpffs', lab.bpffs, '--pin-root', pinRoot(lab), '--state-dir', stateDirectory];
    const limitFlags = limits.flatMap((limit) => ['--limit', limit]);
    const audits = auditSeconds === undefined ? [] : ['--audit-seconds', String(auditSeconds)];
    const resets = onDeny === undefined ? [] : ['--on-deny', onDeny];
    const words = [...argv, ...limitFlags, ...audits, ...resets, ...places, '--socket', socketPath(lab)];
    const command = program === undefined ? tortieCommand(...words) : programCommand(program, ...words);
    return new Agent(lab, lab.spawn(HOST, [...wrapper, ...command], { stdio: ['ignore', 'ignore', 'pipe'] }));
  }

  /** Starts the agent and waits until what it enforces is what the manifests say. Throws KERNEL with the end of its log. */
  static async start(lab: Lab, options: AgentOptions): Promise<Agent> {
    const agent = Agent.launch(lab, options);
    await agent.waitFor((status) => status.inSync, START_LIMIT_MS);
    return agent;
  }

  /** The last lines that it logged. */
  get log(): readonly string[] {
    return this.#log;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** undefined while no agent answers on the socket. */
  async status(): Promise<AgentStatus | undefined> {
    try {
      return await askAgent<AgentStatus>(socketPath(this.#lab), 'GET', '/v1/status');
    } catch (error) {
      if (error instanceof DataplaneError && error.code === 'AGENT_UNREACHABLE') return undefined;
      throw error;
    }
  }

  /** Whether it says that all is in force: cheaper to ask than its status. */
  async isReady(): Promise<boolean> {
    try {
      await askAgent(socketPath(this.#lab), 'GET', '/readiness');
      return true;
    } catch {
      return false;
    }
  }

  /** What its API answers. Throws AGENT_UNREACHABLE, or the agent's own error. */
  get<T>(path: string): Promise<T> {
    return askAgent<T>(socketPath(this.#lab), 'GET', path);
  }

  /** Of the process, or of what runs it. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Resolves when it has ended, however that came. */
  async ended(): Promise<void> {
    if (!this.hasEnded) await once(this.#child, 'close');
  }

  /**
   * The first status that `accepts` takes. Throws KERNEL with the end of the log after `limitMs`, or once the agent has ended. An
   * agent with many flows takes long to say how many they are: ask it less often then.
   */
  async waitFor(
    accepts: (status: AgentStatus) => boolean,
    limitMs: number,
    everyMs = POLL_EVERY_MS,
  ): Promise<AgentStatus> {
    const end = performance.now() + limitMs * PATIENCE;
    let status: AgentStatus | undefined;
    while (performance.now() < end && !this.hasEnded) {
      status = await this.status();
      if (status !== undefined && accepts(status)) return status;
      await new Promise((resolve) => setTimeout(resolve, everyMs * PATIENCE));
    }
    const found = this.hasEnded ? `the agent has ended (${this.#describeEnd()})` : JSON.stringify(status);
    const what = ['no such status', ...this.#log].join('\n');
    throw new DataplaneError('KERNEL', what, { operation: 'wait for', target: 'agent', found });
  }

  /** Runs another verb against this agent, e.g. `endpoint add`. Throws KERNEL if it fails. */
  ask(...argv: readonly string[]): Promise<CommandOutput> {
    return this.#lab.exec(HOST, tortieCommand(...argv, '--socket', socketPath(this.#lab)));
  }

  /** Ends it with no chance to say good-bye. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Asks it to end. Returns its exit status, null if it had to be killed by somebody. */
  async stop(): Promise<number | null> {
    await this.#end('SIGTERM');
    return this.#child.exitCode;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    const closed = once(this.#child, 'close');
    this.#child.kill(signal);
    await closed;
  }

  #describeEnd(): string {
    return this.#child.signalCode ?? `status ${this.#child.exitCode}`;
  }

  #remember(line: string): void {
    this.#log.push(line);
    if (this.#log.length > LINES_KEPT) this.#log.shift();
  }
}

/** Where the agent of a lab listens. */
export function socketPath(lab: Lab): string {
  return join(lab.directory, 'agent.sock');
}

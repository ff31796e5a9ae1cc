// A lab whose policy is flipped under traffic while agents come and go, with a judge of every packet. Who flips, kills and waits is
// not known here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DataplaneError } from '../../src/base/errors.ts';
import { generationInForce } from '../../src/kernel/bridge.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { Agent, type AgentOptions, pinRoot } from './agent.ts';
import { type FaultPlan, FaultyAgent } from './faults.ts';
import { FlipJudge } from './flip-judge.ts';
import { CLIENT, FLIP_WORKLOADS, flipEndpoints, flipFlows, flipPolicy, NODE, SERVER } from './flip-world.ts';
import { ManifestFolder } from './manifest-folder.ts';
import { Lab } from './namespaces.ts';
import { PATIENCE } from './patience.ts';
import { Witness } from './witness.ts';

const FILE = '50-policy.yaml';
const START_LIMIT_MS = 30_000;
const FLIP_LIMIT_MS = 20_000;
const POLL_MS = 1;
/** Between two packets of a flow: what keeps a machine half busy. */
const TICK_MS = 2;

/** How a change is waited for: by an agent that enforces it, or not at all. */
export class FlipArena {
  readonly lab: Lab;
  readonly manifests: ManifestFolder;
  readonly judge = new FlipJudge(flipFlows());
  readonly #common: Partial<AgentOptions>;
  #witness: Witness | undefined;
  #version = 0;
  #flips = 0;

  private constructor(lab: Lab, common: Partial<AgentOptions>) {
    this.lab = lab;
    this.#common = common;
    this.manifests = new ManifestFolder(join(lab.directory, 'manifests'));
  }

  /**
   * Builds the network and writes the first version; nothing is enforced and nothing sent yet. `common` is what all agents
   * here are started with. Throws what Lab.create does.
   */
  static async create(common: Partial<AgentOptions> = {}): Promise<FlipArena> {
    const arena = new FlipArena(await Lab.create({ workloads: FLIP_WORKLOADS }), common);
    arena.manifests.write('00-endpoints.yaml', flipEndpoints());
    arena.write();
    return arena;
  }

  /** Versions that were put in force, and waited for, after another. */
  get flips(): number {
    return this.#flips;
  }

  /** Of the last version written. */
  get version(): number {
    return this.#version;
  }

  launch(options: Partial<AgentOptions> = {}): Agent {
    return Agent.launch(this.lab, this.#options(options));
  }

  launchFaulty(plan: FaultPlan, options: Partial<AgentOptions> = {}): Promise<FaultyAgent> {
    return FaultyAgent.launch(this.lab, this.#options(options), plan);
  }

  /** Waits until all that is written is in force: only for an agent that was started after it was. Throws KERNEL. */
  async settle(agent: Agent): Promise<void> {
    const version = this.#version;
    await this.#until(() => agent.isReady(), agent, START_LIMIT_MS, 10);
    this.judge.timeline.know(version);
  }

  async start(options: Partial<AgentOptions> = {}): Promise<Agent> {
    const agent = this.launch(options);
    await this.settle(agent);
    return agent;
  }

  /** Everything is sent and judged from here on. An agent must be in sync. */
  async startTraffic(tickMs = TICK_MS): Promise<void> {
    const { judge } = this;
    this.#witness = await Witness.start(this.lab, CLIENT, SERVER, judge.flows, tickMs, (record) => judge.judge(record));
  }

  /** Resolves when the fate of each packet is known and judged. */
  async stopTraffic(): Promise<void> {
    await this.#witness?.stop();
    this.#witness = undefined;
  }

  /** Writes the next version, whoever reads it. */
  write(): void {
    this.#version += 1;
    this.judge.timeline.write(this.#version);
    this.manifests.write(FILE, flipPolicy(this.#version));
  }

  /** Writes the next version and waits until an agent that was in sync has put it in force. Throws KERNEL if it does not. */
  async flip(agent: Agent): Promise<void> {
    const before = this.generation;
    this.write();
    await this.#until(async () => this.generation !== before && (await agent.isReady()), agent, FLIP_LIMIT_MS, POLL_MS);
    this.judge.timeline.know(this.#version);
    this.#flips += 1;
  }

  /** Of the policy in force in the kernel, whoever put it there. 0 = nothing is pinned. */
  get generation(): number {
    return generationInForce(new Pins(pinRoot(this.lab))) ?? 0;
  }

  async close(): Promise<void> {
    await this.lab.close();
  }

  #options(options: Partial<AgentOptions>): AgentOptions {
    return { manifests: this.manifests.path, node: NODE, ...this.#common, ...options };
  }

  async #until(holds: () => Promise<boolean>, agent: Agent, limitMs: number, everyMs: number): Promise<void> {
    const end = performance.now() + limitMs * PATIENCE;
    while (!(await holds())) {
      if (agent.hasEnded || performance.now() > end) {
        const what = agent.hasEnded ? 'the agent has ended' : `not in force in time; ${describeProcess(agent.pid)}`;
        throw new DataplaneError('KERNEL', [what, ...agent.log].join('\n'), {
          operation: 'wait for',
          target: `version ${this.#version}`,
        });
      }
      await sleep(everyMs * PATIENCE);
    }
  }
}

/** Whether it waits or works, and how much it has worked: a machine with too much to do starves it, a bug hangs it. */
function describeProcess(pid: number | undefined): string {
  const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
  try {
    const [state = '', ...fields] = read('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    return `process ${state} in ${read('wchan')}, ${fields[10]} + ${fields[11]} ticks`;
  } catch {
    return 'its process is gone';
  }
}

// An agent whose system calls are counted, and one of which fails or is its last. What ought to come of that is not known here.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { State } from '../../src/abi/heap.gen.ts';
import { DataplaneError } from '../../src/base/errors.ts';
import { Agent, type AgentOptions } from './agent.ts';
import { ensureProgram } from './build-program.ts';
import type { Lab } from './namespaces.ts';

/** kill-after: right behind the nth call; watch: right behind the nth store to a field of the state that programs read. */
export type FaultPlan =
  | { readonly kind: 'trace' }
  | { readonly kind: 'fail'; readonly at: number; readonly errno: number }
  | { readonly kind: 'kill' | 'kill-after'; readonly at: number }
  | { readonly kind: 'watch'; readonly field: keyof typeof State.OFFSET; readonly at: number };

const POLL_MS = 2;
const REPLAN_LIMIT_MS = 10_000;
let count = 0;

function planText(plan: FaultPlan): string {
  switch (plan.kind) {
    case 'trace':
      return 'trace';
    case 'fail':
      return `fail ${plan.at} ${plan.errno}`;
    case 'watch':
      return `watch ${State.SIZE} ${State.OFFSET[plan.field]} ${plan.at}`;
    default:
      return `${plan.kind} ${plan.at}`;
  }
}

export class FaultyAgent {
  readonly agent: Agent;
  readonly #planFile: string;
  readonly #logFile: string;

  private constructor(agent: Agent, planFile: string, logFile: string) {
    this.agent = agent;
    this.#planFile = planFile;
    this.#logFile = logFile;
  }

  /** Starts an agent with a plan for its start, without waiting for anything. Throws what ensureProgram does. */
  static async launch(lab: Lab, options: AgentOptions, plan: FaultPlan): Promise<FaultyAgent> {
    count += 1;
    const program = await ensureProgram('faults');
    const planFile = join(lab.directory, `plan-${count}`);
    const logFile = join(lab.directory, `faults-${count}`);
    writeFileSync(planFile, `${planText(plan)}\n`);
    writeFileSync(logFile, '');
    const agent = Agent.launch(lab, { ...options, wrapper: [program, planFile, logFile, lab.directory] });
    return new FaultyAgent(agent, planFile, logFile);
  }

  /** Of the agent itself, which the tracer is the parent of. undefined while it does not run. */
  get tracedPid(): number | undefined {
    const { pid } = this.agent;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  }

  /** From here on another plan holds, and calls are counted anew. Not for watch, which has to be planned from the start. */
  async replan(plan: FaultPlan): Promise<void> {
    const before = this.#lines().filter((line) => line === 'planned').length;
    writeFileSync(this.#planFile, `${planText(plan)}\n`);
    this.agent.signal('SIGUSR1');
    for (let waited = 0; waited < REPLAN_LIMIT_MS; waited += POLL_MS) {
      if (this.#lines().filter((line) => line === 'planned').length > before) return;
      await sleep(POLL_MS);
    }
    throw new DataplaneError('KERNEL', 'takes no new plan', { operation: 'plan', target: 'faults' });
  }

  /** The names of the calls since the last plan, in order. */
  get calls(): string[] {
    const lines = this.#lines();
    return lines.slice(lines.lastIndexOf('planned') + 1).flatMap((line) => /^\d+ (.*)$/.exec(line)?.[1] ?? []);
  }

  /** What was planned has happened. */
  get isDone(): boolean {
    const lines = this.#lines();
    return lines.lastIndexOf('done') > lines.lastIndexOf('planned');
  }

  #lines(): string[] {
    return readFileSync(this.#logFile, 'utf8').split('\n');
  }
}

// The agent's own well-being: what it had to repair, and what keeps it from doing all it should. Part of Agent.
import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import { type Condition, type ConditionReason, Conditions } from './conditions.ts';
import type { AgentFlows } from './flows/agent-flows.ts';
import { type RepairStatus, Repairs } from './repairs.ts';
import type { StoreSession } from './store/session.ts';

export interface HealthStatus extends RepairStatus {
  /** What is degraded and why; verdicts are those of the policy in force whatever it is. */
  readonly conditions: readonly Condition[];
}

/** Those who make flow logs and keep them. */
export interface FlowKeepers {
  readonly logs: Pick<AgentFlows['logs'], 'failure'>;
  readonly store: Pick<AgentFlows['store'], 'status'>;
}

/** What of the store is not as it should be. */
export type StoreKeeper = Pick<StoreSession, 'notInForce' | 'status'>;

export class Health {
  readonly repairs: Repairs;
  readonly #conditions: Conditions;
  readonly #dataplane: Pick<Dataplane, 'restore' | 'hostProblem'>;
  readonly #flows: () => FlowKeepers;
  readonly #stored: StoreKeeper;
  #unguarded: ReadonlyMap<string, Error> = new Map();

  /** `flows` is asked for at audits only. */
  constructor(
    dataplane: Pick<Dataplane, 'restore' | 'hostProblem'>,
    stateDirectory: string,
    log: Logger,
    flows: () => FlowKeepers,
    stored: StoreKeeper,
  ) {
    this.#dataplane = dataplane;
    this.#flows = flows;
    this.#stored = stored;
    this.repairs = new Repairs(dataplane, log);
    this.#conditions = new Conditions({ stateDirectory }, log, () => this.#others());
  }

  status(): HealthStatus {
    return { ...this.repairs.status(), conditions: this.#conditions.list };
  }

  /** Puts right what others did to pins and tables, and looks at everything else. `unguarded` = interfaces, and why. */
  audit(unguarded: ReadonlyMap<string, Error>): void {
    this.#unguarded = unguarded;
    this.repairs.audit();
    this.#conditions.look();
  }

  *#others(): Generator<readonly [ConditionReason, string]> {
    if (this.repairs.failure !== undefined) yield ['AuditFailed', this.repairs.failure];
    const { hostProblem } = this.#dataplane;
    if (hostProblem !== undefined) yield ['HostEndpointsNotEnforced', hostProblem.message];
    const notKept = this.#whyFlowsAreNotKept();
    if (notKept !== undefined) yield ['FlowsNotKept', notKept];
    yield* this.#ofStore();
    const [first] = this.#unguarded;
    if (first !== undefined)
      yield ['InterfaceNotGuarded', `${this.#unguarded.size} interfaces, first ${first[0]}: ${first[1].message}`];
  }

  *#ofStore(): Generator<readonly [ConditionReason, string]> {
    const { notInForce } = this.#stored;
    const [first] = notInForce;
    if (first !== undefined) {
      const why = first.errors.map(({ message }) => message).join('; ');
      yield ['StoredNotInForce', `${notInForce.length} objects of the store, first ${first.id}: ${why}`];
    }
    const { pending, undoError } = this.#stored.status() ?? {};
    if (pending != null && undoError != null) {
      const { revision } = pending;
      yield ['UndoFailed', `revision ${revision} was not confirmed in time and cannot be undone: ${undoError}`];
    }
  }

  #whyFlowsAreNotKept(): string | undefined {
    const { logs, store } = this.#flows();
    if (logs.failure !== undefined) return `there are no flow logs: ${logs.failure}`;
    const { mode, error, waiting, lost } = store.status();
    if (mode === 'off' || error === null) return undefined;
    return `the store of flows does not take them: ${error}; ${waiting} wait, ${lost} are lost`;
  }
}

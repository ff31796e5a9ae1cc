// Whether a watch for denied flows sees them: the agent must tell of flows and keep what it tells, all the while. What it says it has
// lost may be just what somebody looks for.
import type { AgentStatus } from '../agent/status.ts';
import { DataplaneError } from '../base/errors.ts';
import { DEFAULT_AGGREGATION } from '../observe/flows/aggregator.ts';
import { askAgent } from './agent-client.ts';
import { untilStored } from './store-waits.ts';

/** Agents of the version before may say less. */
export type SightStatus = Partial<Pick<AgentStatus, 'error' | 'flowLogs' | 'flowStore'>>;
type Known = SightStatus & Required<Pick<SightStatus, 'flowLogs' | 'flowStore'>>;

/**
 * Each counts what may have been a denial. Counts of flows that the ring buffer had no room for are none, nor are reports from the
 * flow table: those were let through.
 */
const LOSSES: readonly (readonly [what: string, count: (status: Known) => number])[] = [
  ['events that the ring buffer had no room for', ({ flowLogs }) => flowLogs.lost.eventsLost],
  ['denied, dropped or logged packets above the event budget', ({ flowLogs }) => flowLogs.lost.eventsSuppressed],
  ['records of denied packets left out by sampling', ({ flowLogs }) => flowLogs.lost.deniedSampledOut],
  ['flow logs that the store does not have', ({ flowStore }) => flowStore.lost],
  // Not known before the store was needed: files that were broken then are no matter.
  ['files of the store moved aside', ({ flowStore }) => flowStore.store?.movedAside ?? Number.NaN],
];
/** These only grow, as long as it is the same agent. */
const PROGRESS: readonly ((status: Known) => number)[] = [
  ({ flowLogs }) => flowLogs.records,
  ({ flowStore }) => flowStore.handedOver,
];
/** From the events to the aggregates, and from there to the disk: the service writes every two seconds. */
const HAND_OVER_MS = 5000;

/** Why denied flows cannot be seen; undefined = they can. */
export function blindnessOf({ error, flowLogs, flowStore }: SightStatus): string | undefined {
  if (error != null) return `policy is not in force: ${String(error.message)}`;
  if (flowLogs === undefined || flowStore === undefined) return 'the agent says nothing of flow logs';
  if (!flowLogs.isOn)
    return flowLogs.isWanted ? 'flow logs cannot be had: see the log of the agent' : 'flowLogs is off';
  return flowStore.mode === 'off' ? 'flowStore is off' : undefined;
}

/** Why the store does not take them now: they wait for it, and what it does not take in the end is lost. */
export function delayOf({ flowStore }: SightStatus): string | undefined {
  const error = flowStore?.error ?? null;
  return error === null ? undefined : `flow logs are not stored: ${error}`;
}

/** What may have hidden a denial since the first; none = nothing has. `between` = of the look before the last one. */
export function lossesSince(before: SightStatus, between: SightStatus, after: SightStatus): string[] {
  const blindness = blindnessOf(after);
  if (blindness !== undefined) return [blindness];
  const [first, middle, last] = [before as Known, between as Known, after as Known];
  if (PROGRESS.some((count) => count(last) < count(middle))) return ['the agent began anew'];
  return LOSSES.flatMap(([what, count]) => {
    const more = count(last) - count(first);
    return more > 0 ? [`${more} ${what}`] : [];
  });
}

export class DenialSight {
  readonly #socket: string;
  readonly #before: Known;
  #last: SightStatus;

  private constructor(socket: string, before: Known) {
    this.#socket = socket;
    this.#before = before;
    this.#last = before;
  }

  /** Throws USAGE where nothing could be seen, and AGENT_UNREACHABLE. */
  static async open(socket: string): Promise<DenialSight> {
    const status = await readStatus(socket);
    const blindness = blindnessOf(status) ?? delayOf(status);
    if (blindness === undefined) return new DenialSight(socket, status as Known);
    throw new DataplaneError('USAGE', 'the agent would not see what is denied', {
      operation: 'promote',
      target: 'staged policies',
      field: '--watch',
      found: blindness,
      expected: 'flow logs that are on, and stored',
      hint: 'without --watch it is in force at once, and nothing takes it back',
    });
  }

  /** How late a denied flow may be in the store. */
  get lateMs(): number {
    const { flowLogs, flowStore } = this.#before;
    const seconds = flowStore.mode === 'aggregated' ? DEFAULT_AGGREGATION.bucketSeconds : 0;
    return (flowLogs.intervalSeconds + seconds) * 1000 + HAND_OVER_MS;
  }

  /** What may have hidden a denial since it was opened, and what hides one as long as it lasts. */
  async look(): Promise<{ readonly losses: readonly string[]; readonly delay: string | undefined }> {
    const status = await readStatus(this.#socket);
    const losses = lossesSince(this.#before, this.#last, status);
    this.#last = status;
    return { losses, delay: delayOf(status) };
  }

  /** Waits until the store has what waits for it now. What it does not take in that time is a fault. */
  async settle(patienceMs: number): Promise<string[]> {
    const left = await untilStored(this.#socket, patienceMs);
    return left === 0 ? [] : [`${left} flow logs that wait for the store`];
  }
}

function readStatus(socket: string): Promise<SightStatus> {
  return askAgent<SightStatus>(socket, 'GET', '/v1/status');
}

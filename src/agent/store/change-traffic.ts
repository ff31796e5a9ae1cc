// What traffic a change of the store affected: stored flows of the time before it and of the time after it.

import { resourceName } from '../../analysis/object-names.ts';
import { AffectedCounter, type AffectedTraffic } from '../../analysis/staged/affected.ts';
import { EVERY_FLOW } from '../../observe/flow-query/filter.ts';
import type { StoredLog } from '../../observe/flow-store/decode.ts';
import type { FlowListQuestion, PagePlace } from '../../observe/flow-store/question.ts';
import type { Resource, ResourceType } from '../../resources/resource.ts';
import type { HistoryEntry } from './history.ts';

export interface ChangeTraffic extends AffectedTraffic {
  readonly revision: number;
  /** ISO 8601. */
  readonly time: string;
  readonly windowMs: number;
  /** Records that were looked at. */
  readonly records: { readonly before: number; readonly after: number };
  /** False = there are more records than are looked at: counts are of the first of each window. */
  readonly isComplete: boolean;
}

export interface FlowLists {
  list(question: FlowListQuestion): Promise<readonly StoredLog[]>;
}

const PAGE = 2_000;
const MAX_RECORDS = 500_000;
const POLICY_TYPES: ReadonlySet<string> = new Set([
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'StagedNetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'KubernetesNetworkPolicy',
  'StagedKubernetesNetworkPolicy',
  'ClusterNetworkPolicy',
] satisfies ResourceType[]);

/** Throws what asking the store throws. */
export async function trafficOf(entry: HistoryEntry, flows: FlowLists, windowMs: number): Promise<ChangeTraffic> {
  const at = Date.parse(entry.time);
  const counter = new AffectedCounter(entry.changes.flatMap(({ id }) => traceNameOf(id)));
  const records = { before: 0, after: 0 };
  let isComplete = true;
  const windows = { before: { since: at - windowMs, until: at }, after: { since: at, until: at + windowMs } };
  for (const phase of ['before', 'after'] as const) {
    for await (const { log } of logsOf(flows, windows[phase])) {
      // One that was under way at the change was begun, and mostly judged, before it.
      if ((phase === 'before') !== log.startTime < at) continue;
      if (records[phase] >= MAX_RECORDS) {
        isComplete = false;
        break;
      }
      counter.add(log, phase);
      records[phase] += 1;
    }
  }
  return { revision: entry.revision, time: entry.time, windowMs, records, isComplete, ...counter.result() };
}

async function* logsOf(flows: FlowLists, window: { readonly since: number; readonly until: number }) {
  for (let after: PagePlace | undefined; ; ) {
    const question: FlowListQuestion = { ...window, filter: EVERY_FLOW, sort: 'time', limit: PAGE };
    const found = await flows.list(after === undefined ? question : { ...question, after });
    yield* found;
    const last = found.at(-1);
    if (last === undefined || found.length < PAGE) return;
    after = { time: last.log.startTime, sequence: last.sequence };
  }
}

/** `np:shop/web` of `NetworkPolicy/shop/web`; none for what is no policy. */
function traceNameOf(id: string): string[] {
  const [type = '', namespace = '', name = ''] = id.split('/');
  if (!POLICY_TYPES.has(type)) return [];
  const place = { type: type as ResourceType, name, namespace: namespace === '' ? undefined : namespace };
  return [resourceName(place as Resource).replace('/', ':')];
}

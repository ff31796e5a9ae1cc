// Endpoints that policy cuts off: from everything, or from the name servers that they need to reach what they may.
import type { PolicyList } from '../../../calc/resolved.ts';
import type { WorkloadEndpoint } from '../../../model/endpoint.ts';
import { PROTOCOL } from '../../../model/flow.ts';
import type { TraceEntry } from '../../../model/trace.ts';
import type { Resource } from '../../../resources/resource.ts';
import { l4Index } from '../../../tables/l4-space.ts';
import { entryName } from '../../object-names.ts';
import { findingAbout, type LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import type { GoverningList } from '../list-walks.ts';
import type { ListOpenness, Reach } from '../reach.ts';
import { recordWalk } from '../walk-record.ts';
import { count, listSome, nameDecision } from '../wording.ts';

const DNS_PORT = 53;

/** What a finding is about: endpoints that the same decision keeps from something. */
interface CutOff {
  readonly decision: TraceEntry;
  readonly endpoints: Set<WorkloadEndpoint>;
}

export function checkIsolation(context: LintContext, reach: Reach): Finding[] {
  return [...checkDns(context, reach), ...checkIsolated(context, reach)];
}

function checkDns(context: LintContext, reach: Reach): Finding[] {
  const isBlocked = ({ hasConnections, hasDns }: ListOpenness): boolean => hasConnections && !hasDns;
  const blocked = [...reach.openness].filter(([{ list }, open]) => list.direction === 'egress' && isBlocked(open));
  return groupByDecision(blocked, reach).flatMap(({ decision, endpoints }) => {
    const message = `${name(endpoints)} may open connections, but ask no name server: nothing allows UDP 53 or TCP 53, ${nameDecision(decision)} denies it`;
    return about(context, decision, endpoints, 'dns-blocked', message, 'allow UDP and TCP 53 to the name server');
  });
}

function checkIsolated(context: LintContext, reach: Reach): Finding[] {
  const closed = [...reach.openness].filter(([, { isOpen }]) => !isOpen);
  const closedLists = new Set(closed.map(([{ list }]) => list));
  const isIsolated = (endpoint: WorkloadEndpoint, lists: ReadonlyMap<WorkloadEndpoint, PolicyList[]>): boolean =>
    lists.get(endpoint)?.every((list) => closedLists.has(list)) ?? false;
  const lists = listsByEndpoint(reach);
  const inbound = closed.filter(([{ list }]) => list.direction === 'ingress');
  return groupByDecision(inbound, reach).flatMap(({ decision, endpoints }) => {
    const isolated = new Set([...endpoints].filter((endpoint) => isIsolated(endpoint, lists)));
    if (isolated.size === 0) return [];
    const message = `${name(isolated)} may neither be reached nor reach anything; ${nameDecision(decision)} keeps others out`;
    return about(context, decision, isolated, 'isolated-from-everything', message);
  });
}

function listsByEndpoint({ walks }: Reach): Map<WorkloadEndpoint, PolicyList[]> {
  const lists = new Map<WorkloadEndpoint, PolicyList[]>();
  for (const { list, endpoints } of walks.lists) {
    for (const { endpoint } of endpoints) lists.set(endpoint, [...(lists.get(endpoint) ?? []), list]);
  }
  return lists;
}

/** By what decides UDP 53 between the endpoints and an address that nothing lists. */
function groupByDecision(lists: readonly (readonly [GoverningList, unknown])[], reach: Reach): CutOff[] {
  const groups = new Map<string, CutOff>();
  for (const [governing] of lists) {
    const decision = decisionOutside(governing, reach);
    if (decision === undefined) continue;
    const key = `${entryName(decision)} ${decision.ruleIndex}`;
    const group = groups.get(key) ?? { decision, endpoints: new Set() };
    groups.set(key, group);
    for (const { endpoint } of governing.endpoints) group.endpoints.add(endpoint);
  }
  return [...groups.values()];
}

function decisionOutside(governing: GoverningList, { walks }: Reach): TraceEntry | undefined {
  const { enforced } = governing.programs;
  const wanted = walks.l4.classes[l4Index(PROTOCOL.UDP, DNS_PORT, 0, 0)] as number;
  for (const key of walks.outsideKeys(governing, enforced)) {
    const { meetings, rests } = recordWalk(enforced, key, walks.l4);
    const isIn = (classes: Uint32Array): boolean => (((classes[wanted >>> 5] as number) >>> (wanted & 31)) & 1) === 1;
    const taken = meetings.find(({ rule, taken: own }) => ['allow', 'deny'].includes(rule.action) && isIn(own));
    if (taken !== undefined) return taken.rule.entry;
    const end = enforced.tiers.findIndex(
      (tier, index) => tier.end.action !== 'pass' && isIn(rests[index] as Uint32Array),
    );
    return enforced.tiers[end]?.end;
  }
  return undefined;
}

/** At the policy that decides, or where no policy does at the first of the endpoints. */
function about(
  { resources, owners }: LintContext,
  decision: TraceEntry,
  endpoints: ReadonlySet<WorkloadEndpoint>,
  rule: 'dns-blocked' | 'isolated-from-everything',
  message: string,
  hint?: string,
): Finding[] {
  const owner = owners.find(({ name: own }) => own === entryName(decision));
  const [first] = endpoints;
  const resource: Resource | undefined =
    owner?.resource ?? resources.find(({ location }) => location === first?.location);
  return resource === undefined ? [] : [findingAbout(resource, rule, message, { hint })];
}

function name(endpoints: ReadonlySet<WorkloadEndpoint>): string {
  const names = [...endpoints].map(({ displayName }) => displayName).sort();
  return names.length <= 3 ? listSome(names) : `${count(names.length, 'endpoint')} (${listSome(names, 2)})`;
}

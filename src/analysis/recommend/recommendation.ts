// Flows that were seen -> policies that let them through and nothing else, as staged objects with the evidence for each rule.
import { formatCidr } from '../../model/address.ts';
import { PROTOCOL, protocolName } from '../../model/flow.ts';
import type { Direction } from '../../model/policy.ts';
import { DIRECTIONS } from '../../model/policy.ts';
import { NAMESPACE_LABEL } from '../../model/selector/scope.ts';
import type { Proposal, ProposedObject, ProposedRule, RuleManifest } from '../protect/proposal.ts';
import { inNamespace } from './groups.ts';
import { formatRange } from './port-ranges.ts';
import { evidenceLines } from './rule-words.ts';
import { type Merging, type Need, needsOf, type Peer } from './rules.ts';
import type { Conversation } from './traffic.ts';
import { NOT_PUBLIC, type Subject } from './units.ts';

export interface RecommendOptions {
  readonly merging: Merging;
  /** That the policies are put in; it must deny at its end. */
  readonly tier: string;
  readonly order: number;
}

/** One policy to be. */
export interface RecommendedPolicy {
  readonly name: string;
  readonly group: Subject;
  readonly needs: { readonly [D in Direction]: readonly Need[] };
}

export const DEFAULT_ORDER = 1000;
const API_VERSION = 'projectcalico.org/v3';
/** By which the objects of recommendations are found again. */
export const RECOMMEND_LABEL = 'tortie.io/recommended';

/** One for each group, whether it was seen to speak or not. */
export function recommend(
  groups: readonly Subject[],
  conversations: readonly Conversation[],
  { merging, tier }: Pick<RecommendOptions, 'merging' | 'tier'>,
): RecommendedPolicy[] {
  const prefix = tier === 'default' ? '' : `${tier}.`;
  const own = new Map<string, Conversation[]>(groups.map(({ id }) => [id, []]));
  for (const conversation of conversations) {
    const { source, destination } = conversation;
    for (const id of new Set([source.id, destination.id])) own.get(id)?.push(conversation);
  }
  return groups.map((group) => {
    const some = own.get(group.id) ?? [];
    return {
      name: `${prefix}recommended-${group.name}`,
      group,
      needs: {
        ingress: needsOf(group, 'ingress', some, merging),
        egress: needsOf(group, 'egress', some, merging),
      },
    };
  });
}

/** The policies as objects to write. */
export function proposalOf(policies: readonly RecommendedPolicy[], { tier, order }: RecommendOptions): Proposal {
  return { why: [], objects: policies.map((policy) => objectOf(policy, tier, order)) };
}

function objectOf({ name, group, needs }: RecommendedPolicy, tier: string, order: number): ProposedObject {
  const rulesOf = (direction: Direction): readonly ProposedRule[] =>
    needs[direction].flatMap((need) =>
      rulesOfNeed(need, direction, group).map((rule) => ({ why: evidenceLines(need), rule })),
    );
  return {
    why: aboutOf(group, needs),
    apiVersion: API_VERSION,
    kind: group.namespace === undefined ? 'StagedGlobalNetworkPolicy' : 'StagedNetworkPolicy',
    metadata: {
      name,
      ...(group.namespace === undefined ? {} : { namespace: group.namespace }),
      labels: { [RECOMMEND_LABEL]: 'flows' },
    },
    spec: { tier, order, selector: selectorOf(group), types: ['Ingress', 'Egress'] },
    rules: { ingress: rulesOf('ingress'), egress: rulesOf('egress') },
  };
}

/** A global policy would govern workloads with these labels, too. */
function selectorOf({ namespace, selector }: Subject): string {
  return namespace === undefined ? `${selector} && !has(${NAMESPACE_LABEL})` : selector;
}

/** One rule, or one for each family of the workload: no rule may name networks of both. */
function rulesOfNeed(need: Need, direction: Direction, { namespace, endpoints }: Subject): RuleManifest[] {
  if (need.peer.kind !== 'network') return [ruleOf(need, direction, namespace)];
  const families = new Set(endpoints.flatMap(({ addresses }) => addresses.map(({ family }) => family)));
  return ([4, 6] as const)
    .filter((family) => families.has(family) && need.protocol !== (family === 4 ? PROTOCOL.ICMPV6 : PROTOCOL.ICMP))
    .map((family) => {
      const rule = ruleOf(need, direction, namespace);
      const side = direction === 'egress' ? 'destination' : 'source';
      const nets = { nets: [family === 4 ? '0.0.0.0/0' : '::/0'], notNets: NOT_PUBLIC[family] };
      return { ...rule, [side]: { ...nets, ...(rule[side] as RuleManifest) } };
    });
}

/** The rule as manifests write it, of a policy in the namespace; undefined = of a global one. */
export function ruleOf(
  { peer, protocol, ports, icmp }: Need,
  direction: Direction,
  namespace: string | undefined,
): RuleManifest {
  const match = matchOf(peer, namespace);
  const name = protocolName(protocol);
  const portList = ports === undefined || peer.kind === 'service' ? {} : { ports: ports.map(formatRange) };
  const head = {
    action: 'Allow',
    protocol: /^\d+$/.test(name) ? Number(name) : name,
    ...(icmp === undefined ? {} : { icmp }),
  };
  if (direction === 'egress') return { ...head, destination: { ...match, ...portList } };
  return { ...head, source: match, ...(ports === undefined ? {} : { destination: portList }) };
}

function matchOf(peer: Peer, namespace: string | undefined): RuleManifest {
  if (peer.kind === 'network') return {};
  if (peer.kind === 'prefixes') return { nets: peer.prefixes.map(({ cidr }) => formatCidr(cidr)) };
  if (peer.kind === 'service') return { services: { name: peer.service.name, namespace: peer.service.namespace } };
  const { selector, namespaceSelector } = peer;
  // Of a global policy, a selector alone is about all namespaces and what is in none.
  if (namespace !== undefined && peer.namespace === namespace) return { selector };
  if (namespaceSelector !== undefined) return { namespaceSelector, selector };
  return { namespaceSelector: 'all()', selector: inNamespace(selector, peer.namespace ?? '') };
}

function aboutOf(group: Subject, needs: RecommendedPolicy['needs']): string[] {
  const { namespace, name, endpoints, extra } = group;
  const count = endpoints.length === 1 ? '1 endpoint' : `${endpoints.length} endpoints`;
  const silent = DIRECTIONS.filter((direction) => needs[direction].length === 0);
  const verbs = { ingress: 'to be spoken to', egress: 'to speak to anybody' };
  return [
    namespace === undefined ? `Host endpoint ${name}.` : `${namespace}/${name}: ${count}.`,
    ...(extra === 0 ? [] : [`No labels tell it from ${extra} other endpoints of the namespace, which it governs too.`]),
    ...silent.map((direction) => `It was not seen ${verbs[direction]}: all of that is denied.`),
  ];
}

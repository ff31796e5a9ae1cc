// ClusterNetworkPolicies of Kubernetes -> Policy in tier kube-admin or kube-baseline, in the order of their priority.
//
// A rule with a peer that Tortie cannot tell from others (nodes, domainNames) refuses the policy by name: without the
// rule, or with a denial in its place, it would be another policy. Peers are pods, also where only their namespaces
// are selected: network sets of those namespaces are none.
import type { FieldPath } from '../../resources/field-path.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import type {
  ClusterPeerSpec,
  ClusterPolicySpec,
  ClusterProtocolSpec,
  ClusterRuleSpec,
} from '../../resources/schemas/cluster-policy.ts';
import { PROTOCOL } from '../flow.ts';
import type { Direction, EntityMatch, Policy, PortMatch, Rule, RuleAction } from '../policy.ts';
import { conjunction, SELECT_ALL } from '../selector/construct.ts';
import { type EntityScope, scopeEntity, scopePolicy } from '../selector/scope.ts';
import { locationOf } from './deferred.ts';
import { IS_POD, parseLabelSelector } from './label-selectors.ts';
import { groupPorts, type ProtocolPort } from './port-groups.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { ANY_ENTITY, parseNets } from './rules.ts';

type Subject = ClusterPolicySpec['subject'];

const TIERS: Readonly<Record<string, string>> = { Admin: 'kube-admin', Baseline: 'kube-baseline' };
const ACTIONS: Readonly<Record<string, RuleAction>> = { Accept: 'allow', Deny: 'deny', Pass: 'pass' };
const UNSUPPORTED_PEERS = { nodes: 'labels of nodes', domainNames: 'names in DNS' } as const;

/** Governs the directions that it has rules for. */
export function parseClusterPolicy(resource: ResourceOf<'ClusterNetworkPolicy'>): ParseResult {
  const context = new ParseContext(resource);
  const { spec, name, id, location } = resource;
  const rules = {
    ingress: parseRules(spec.ingress ?? [], 'ingress', context),
    egress: parseRules(spec.egress ?? [], 'egress', context),
  };
  const policy: Policy = {
    type: 'policy',
    key: id,
    kind: 'ClusterNetworkPolicy',
    name,
    tier: TIERS[spec.tier] as string,
    order: spec.priority,
    selector: scopePolicy(podScope(spec.subject)),
    governs: { ingress: rules.ingress.length > 0, egress: rules.egress.length > 0 },
    rules,
    staged: false,
    doNotTrack: false,
    preDnat: false,
    applyOnForward: false,
    performanceHints: [],
    location,
  };
  return context.result(policy);
}

function parseRules(rules: readonly ClusterRuleSpec[], direction: Direction, context: ParseContext): Rule[] {
  return rules.flatMap((rule, index) => parseRule(rule, direction, ['spec', direction, index], context));
}

/** One rule for each protocol and peer. */
function parseRule(spec: ClusterRuleSpec, direction: Direction, path: FieldPath, context: ParseContext): Rule[] {
  const location = locationOf(context.resource, path);
  const [peers, field] = 'from' in spec ? [spec.from, 'from'] : [spec.to, 'to'];
  const entities = peers.map((peer, index) => parsePeer(peer, [...path, field, index], context));
  const isIngress = direction === 'ingress';
  return groupPorts((spec.protocols ?? []).map(parseProtocol)).flatMap((group) =>
    entities.map((entity): Rule => {
      const source = isIngress ? entity : ANY_ENTITY;
      const destination = { ...(isIngress ? ANY_ENTITY : entity), ports: group.ports };
      return { action: ACTIONS[spec.action] as RuleAction, protocol: group.protocol, source, destination, location };
    }),
  );
}

function parsePeer(peer: ClusterPeerSpec, path: FieldPath, context: ParseContext): EntityMatch {
  for (const [field, what] of Object.entries(UNSUPPORTED_PEERS)) {
    if (peer[field as keyof typeof UNSUPPORTED_PEERS] === undefined) continue;
    const hint = 'select the peers by networks, namespaces or pods';
    context.refuse('UNSUPPORTED_FIELD', [...path, field], `peers by ${what} are not supported`, { hint });
  }
  if (peer.networks !== undefined) return { ...ANY_ENTITY, nets: parseNets(peer.networks) };
  return { ...ANY_ENTITY, ...scopeEntity(podScope(peer)) };
}

/** Pods of the selected namespaces: all of them, or those that the pod selector matches too. */
function podScope({ namespaces, pods }: Subject): Pick<EntityScope, 'selector' | 'namespaceSelector'> {
  const namespaceSelector = parseLabelSelector(namespaces ?? pods?.namespaceSelector ?? {});
  const selector = pods === undefined ? SELECT_ALL : parseLabelSelector(pods.podSelector);
  return { namespaceSelector, selector: conjunction(IS_POD, selector) };
}

/** A named port is of whichever protocol it is defined for. */
function parseProtocol({ tcp, udp, sctp, destinationNamedPort }: ClusterProtocolSpec): ProtocolPort {
  if (destinationNamedPort !== undefined) return { port: { kind: 'named', name: destinationNamedPort } };
  if (tcp !== undefined) return { protocol: PROTOCOL.TCP, port: parsePort(tcp.destinationPort) };
  if (udp !== undefined) return { protocol: PROTOCOL.UDP, port: parsePort(udp.destinationPort) };
  return { protocol: PROTOCOL.SCTP, port: sctp === undefined ? undefined : parsePort(sctp.destinationPort) };
}

function parsePort({
  number,
  range,
}: {
  number?: number;
  range?: { start: number; end: number };
}): PortMatch | undefined {
  if (range !== undefined) return { kind: 'range', first: range.start, last: range.end };
  return number === undefined ? undefined : { kind: 'range', first: number, last: number };
}

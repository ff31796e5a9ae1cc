// Kubernetes NetworkPolicies, enforced and staged -> Policy in tier default, order 1000.
import type { FieldPath } from '../../resources/field-path.ts';
import { protocolNumber } from '../../resources/protocols.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import type {
  KubernetesPolicySpec,
  LabelSelectorSpec,
  PeerSpec,
  PortSpec,
} from '../../resources/schemas/kubernetes-policy.ts';
import { PROTOCOL, protocolName } from '../flow.ts';
import type { Direction, EntityMatch, Policy, PortMatch, Rule } from '../policy.ts';
import type { Selector } from '../selector/ast.ts';
import { conjunction, equals, has, isIn, isNotIn, negate, SELECT_ALL } from '../selector/construct.ts';
import { ORCHESTRATOR_LABEL, scopeEntity, scopePolicy } from '../selector/scope.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { ANY_ENTITY, parseNets } from './rules.ts';

export type KubernetesPolicyResource = ResourceOf<'KubernetesNetworkPolicy' | 'StagedKubernetesNetworkPolicy'>;

const ORDER = 1000;
const IS_POD = equals(ORCHESTRATOR_LABEL, 'k8s');

/** Ports of one protocol; no protocol = every protocol and port. */
interface PortGroup {
  readonly protocol?: number;
  readonly ports: readonly PortMatch[];
}

/** A staged policy with stagedAction Delete becomes nothing. */
export function parseKubernetesPolicy(resource: KubernetesPolicyResource): ParseResult {
  const context = new ParseContext(resource as never);
  const { spec, namespace, name, type, id, location } = resource;
  const isStaged = type === 'StagedKubernetesNetworkPolicy';
  const policy: Policy = {
    type: 'policy',
    key: id,
    kind: type,
    namespace,
    name,
    tier: 'default',
    order: ORDER,
    selector: scopePolicy({ namespace, selector: conjunction(IS_POD, parseLabelSelector(spec.podSelector)) }),
    governs: governedDirections(spec),
    rules: {
      ingress: (spec.ingress ?? []).flatMap((rule, index) =>
        parseRule(rule.from, rule.ports, 'ingress', ['spec', 'ingress', index], context),
      ),
      egress: (spec.egress ?? []).flatMap((rule, index) =>
        parseRule(rule.to, rule.ports, 'egress', ['spec', 'egress', index], context),
      ),
    },
    staged: isStaged,
    doNotTrack: false,
    preDnat: false,
    applyOnForward: false,
    location,
  };
  return isStaged && spec.stagedAction === 'Delete' ? context.result() : context.result(policy);
}

/** matchLabels and matchExpressions, ANDed; an empty one selects all. */
export function parseLabelSelector(spec: LabelSelectorSpec): Selector {
  const labels = Object.entries(spec.matchLabels ?? {}).map(([label, value]) => equals(label, value));
  const expressions = (spec.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator === 'In') return isIn(key, values);
    if (operator === 'NotIn') return isNotIn(key, values);
    return operator === 'Exists' ? has(key) : negate(has(key));
  });
  return conjunction(...labels, ...expressions);
}

/** What the API server fills in: ingress always, egress when there are egress rules. */
function governedDirections(spec: KubernetesPolicySpec): { ingress: boolean; egress: boolean } {
  const types = spec.policyTypes ?? [];
  if (types.length > 0) return { ingress: types.includes('Ingress'), egress: types.includes('Egress') };
  return { ingress: true, egress: (spec.egress ?? []).length > 0 };
}

/** One rule for each protocol and peer. */
function parseRule(
  peers: readonly PeerSpec[] | undefined,
  ports: readonly PortSpec[] | undefined,
  direction: Direction,
  path: FieldPath,
  context: ParseContext,
): Rule[] {
  const location = { file: context.resource.location.file, line: context.resource.lineOf(path) };
  const entities =
    peers === undefined || peers.length === 0
      ? [ANY_ENTITY]
      : peers.map((peer) => parsePeer(peer, context.resource.namespace));
  return groupPorts(ports ?? []).flatMap(({ protocol, ports: matches }) =>
    entities.map((entity): Rule => {
      const isIngress = direction === 'ingress';
      const source = isIngress ? entity : ANY_ENTITY;
      const destination = { ...(isIngress ? ANY_ENTITY : entity), ports: matches };
      return { action: 'allow', protocol, source, destination, location };
    }),
  );
}

function parsePeer(peer: PeerSpec, namespace: string | undefined): EntityMatch {
  if (peer.ipBlock !== undefined) {
    return { ...ANY_ENTITY, nets: parseNets([peer.ipBlock.cidr]), notNets: parseNets(peer.ipBlock.except) };
  }
  const namespaceSelector =
    peer.namespaceSelector === undefined ? undefined : parseLabelSelector(peer.namespaceSelector);
  const pods = peer.podSelector === undefined ? SELECT_ALL : parseLabelSelector(peer.podSelector);
  return { ...ANY_ENTITY, ...scopeEntity({ namespace, namespaceSelector, selector: conjunction(IS_POD, pods) }) };
}

/** By protocol, in the order of their names, as Calico numbers them; adjacent and overlapping ranges are joined. */
function groupPorts(ports: readonly PortSpec[]): PortGroup[] {
  const groups = new Map<number, PortSpec[]>();
  for (const port of ports) {
    if (port.port === undefined && port.protocol === undefined) return [{ ports: [] }];
    const protocol = protocolNumber(port.protocol ?? 'TCP') ?? PROTOCOL.TCP;
    groups.set(protocol, [...(groups.get(protocol) ?? []), port]);
  }
  if (groups.size === 0) return [{ ports: [] }];
  return [...groups]
    .sort(([a], [b]) => (protocolName(a) < protocolName(b) ? -1 : 1))
    .map(([protocol, items]) => ({ protocol, ports: mergePorts(items) }));
}

/** Empty when one of them means every port. */
function mergePorts(items: readonly PortSpec[]): PortMatch[] {
  if (items.some((item) => item.port === undefined)) return [];
  const ranges: { first: number; last: number }[] = [];
  const names = new Set<string>();
  for (const { port, endPort } of items) {
    if (typeof port === 'number') ranges.push({ first: port, last: endPort ?? port });
    else if (port !== undefined) names.add(port);
  }
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges.sort((a, b) => a.first - b.first)) {
    const previous = merged.at(-1);
    if (previous !== undefined && range.first <= previous.last + 1) previous.last = Math.max(previous.last, range.last);
    else merged.push({ ...range });
  }
  return [
    ...merged.map((range): PortMatch => ({ kind: 'range', ...range })),
    ...[...names].map((name): PortMatch => ({ kind: 'named', name })),
  ];
}

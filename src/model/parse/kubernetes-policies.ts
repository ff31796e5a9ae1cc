// Kubernetes NetworkPolicies, enforced and staged -> Policy in tier default, order 1000.
import type { FieldPath } from '../../resources/field-path.ts';
import { protocolNumber } from '../../resources/protocols.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import type { KubernetesPolicySpec, PeerSpec, PortSpec } from '../../resources/schemas/kubernetes-policy.ts';
import type { Direction, EntityMatch, Policy, Rule } from '../policy.ts';
import { conjunction, SELECT_ALL } from '../selector/construct.ts';
import { scopeEntity, scopePolicy } from '../selector/scope.ts';
import { locationOf, rulesBy } from './deferred.ts';
import { IS_POD, parseLabelSelector } from './label-selectors.ts';
import { groupPorts, type ProtocolPort } from './port-groups.ts';
import { ParseContext, type ParseResult } from './result.ts';
import { ANY_ENTITY, parseNets } from './rules.ts';

export type KubernetesPolicyResource = ResourceOf<'KubernetesNetworkPolicy' | 'StagedKubernetesNetworkPolicy'>;

const ORDER = 1000;
const NO_HINTS: Policy['performanceHints'] = Object.freeze([]);

/** Rules of one direction, one for each protocol and peer: one object may be a product of long lists. */
const MAX_RULES = 16384;

const withRules = rulesBy(['KubernetesNetworkPolicy', 'StagedKubernetesNetworkPolicy'], parseBothLists);

interface RuleSpec {
  readonly peers: readonly PeerSpec[];
  readonly ports: readonly PortSpec[];
}

/** A staged policy with stagedAction Delete becomes nothing. */
export function parseKubernetesPolicy(resource: KubernetesPolicyResource, isAccepted = false): ParseResult {
  const context = new ParseContext(resource as never, isAccepted);
  const { spec, namespace, name, type, id, location } = resource;
  const isStaged = type === 'StagedKubernetesNetworkPolicy';
  const head: Omit<Policy, 'rules'> = {
    type: 'policy',
    key: id,
    kind: type,
    namespace,
    name,
    tier: 'default',
    order: ORDER,
    selector: scopePolicy({ namespace, selector: conjunction(IS_POD, parseLabelSelector(spec.podSelector)) }),
    governs: governedDirections(spec),
    staged: isStaged,
    doNotTrack: false,
    preDnat: false,
    applyOnForward: false,
    performanceHints: NO_HINTS,
    location,
  };
  const policy = withRules(head, context);
  return isStaged && spec.stagedAction === 'Delete' ? context.result() : context.result(policy);
}

function parseBothLists({ spec }: { readonly spec: KubernetesPolicySpec }, context: ParseContext): Policy['rules'] {
  const ingress = (spec.ingress ?? []).map(({ from = [], ports = [] }) => ({ peers: from, ports }));
  const egress = (spec.egress ?? []).map(({ to = [], ports = [] }) => ({ peers: to, ports }));
  return { ingress: parseRules(ingress, 'ingress', context), egress: parseRules(egress, 'egress', context) };
}

const BOTH = Object.freeze({ ingress: true, egress: true });
const INGRESS = Object.freeze({ ingress: true, egress: false });
const EGRESS = Object.freeze({ ingress: false, egress: true });
const NEITHER = Object.freeze({ ingress: false, egress: false });

/** What the API server fills in: ingress always, egress when there are egress rules. */
function governedDirections(spec: KubernetesPolicySpec): Policy['governs'] {
  const types = spec.policyTypes ?? [];
  const ingress = types.length === 0 || types.includes('Ingress');
  const egress = types.length === 0 ? (spec.egress ?? []).length > 0 : types.includes('Egress');
  if (ingress) return egress ? BOTH : INGRESS;
  return egress ? EGRESS : NEITHER;
}

function parseRules(specs: readonly RuleSpec[], direction: Direction, context: ParseContext): Rule[] {
  const path = ['spec', direction];
  const count = specs.reduce((sum, { peers, ports }) => {
    return sum + Math.max(1, peers.length) * groupPorts(ports.map(parsePort)).length;
  }, 0);
  if (count <= MAX_RULES) return specs.flatMap((spec, index) => parseRule(spec, direction, [...path, index], context));
  const details = { found: `${count} pairs of peer and protocol`, expected: `at most ${MAX_RULES}` };
  context.refuse('LIMIT_EXCEEDED', path, 'has too many rules', details);
  return [];
}

/** One rule for each protocol and peer. */
function parseRule({ peers, ports }: RuleSpec, direction: Direction, path: FieldPath, context: ParseContext): Rule[] {
  const { namespace } = context.resource;
  const location = locationOf(context.resource, path);
  const entities = peers.length === 0 ? [ANY_ENTITY] : peers.map((peer) => parsePeer(peer, namespace));
  const isIngress = direction === 'ingress';
  return groupPorts(ports.map(parsePort)).flatMap((group) =>
    entities.map((entity): Rule => {
      const source = isIngress ? entity : ANY_ENTITY;
      const destination = { ...(isIngress ? ANY_ENTITY : entity), ports: group.ports };
      return { action: 'allow', protocol: group.protocol, source, destination, location };
    }),
  );
}

/** No protocol means TCP, as the API server fills in, even in an item that says nothing else. */
function parsePort({ protocol, port, endPort }: PortSpec): ProtocolPort {
  const number = protocolNumber(protocol ?? 'TCP');
  if (port === undefined) return { protocol: number };
  if (typeof port === 'string') return { protocol: number, port: { kind: 'named', name: port } };
  return { protocol: number, port: { kind: 'range', first: port, last: endPort ?? port } };
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

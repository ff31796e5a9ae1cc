// ClusterNetworkPolicies whose fields contradict each other, with the messages of their API where it has any.
import type { FieldPath } from './field-path.ts';
import type { Report } from './report.ts';
import type { ClusterPeerSpec, ClusterPolicySpec, ClusterProtocolSpec } from './schemas/cluster-policy.ts';
import { checkLabelSelector } from './validate-label-selector.ts';

type PodsOrNamespaces = Pick<ClusterPeerSpec, 'namespaces' | 'pods'>;

const NO_NAMED_PORTS =
  'networks/nodes/domainNames peer cannot be set with namedPorts since there are no namedPorts for networks/nodes/domainNames';

export function checkClusterPolicy(spec: ClusterPolicySpec, report: Report): void {
  const subject = ['spec', 'subject'];
  if (requireOne(spec.subject, subject, 'namespaces or pods', report)) checkSelectors(spec.subject, subject, report);
  for (const [index, { from, protocols }] of (spec.ingress ?? []).entries()) {
    const path = ['spec', 'ingress', index];
    checkPeers(from, [...path, 'from'], 'namespaces or pods', report);
    checkProtocols(protocols ?? [], [...path, 'protocols'], report);
  }
  for (const [index, { to, protocols }] of (spec.egress ?? []).entries()) {
    const path = ['spec', 'egress', index];
    checkPeers(to, [...path, 'to'], 'namespaces, pods or networks', report);
    checkProtocols(protocols ?? [], [...path, 'protocols'], report);
    const hasNamedPort = (protocols ?? []).some((protocol) => protocol.destinationNamedPort !== undefined);
    const isOutside = to.some(({ networks, nodes, domainNames }) => (networks ?? nodes ?? domainNames) !== undefined);
    if (hasNamedPort && isOutside) report(path, NO_NAMED_PORTS, { code: 'INVALID_RULE' });
  }
}

function checkPeers(peers: readonly ClusterPeerSpec[], path: FieldPath, expected: string, report: Report): void {
  for (const [index, peer] of peers.entries()) {
    const at = [...path, index];
    if (requireOne(peer, at, expected, report)) checkSelectors(peer, at, report);
  }
}

function checkSelectors({ namespaces, pods }: PodsOrNamespaces, path: FieldPath, report: Report): void {
  if (namespaces !== undefined) checkLabelSelector(namespaces, [...path, 'namespaces'], report);
  if (pods === undefined) return;
  checkLabelSelector(pods.namespaceSelector, [...path, 'pods', 'namespaceSelector'], report);
  checkLabelSelector(pods.podSelector, [...path, 'pods', 'podSelector'], report);
}

function checkProtocols(protocols: readonly ClusterProtocolSpec[], path: FieldPath, report: Report): void {
  for (const [index, protocol] of protocols.entries()) {
    const at = [...path, index];
    if (!requireOne(protocol, at, 'tcp, udp, sctp or destinationNamedPort', report)) continue;
    for (const field of ['tcp', 'udp', 'sctp'] as const) {
      const port = protocol[field]?.destinationPort;
      if (port === undefined) continue;
      const place = [...at, field, 'destinationPort'];
      if (!requireOne(port, place, 'number or range', report) || port.range === undefined) continue;
      if (port.range.start < port.range.end) continue;
      const found = `${port.range.start}-${port.range.end}`;
      report([...place, 'range'], 'Start port must be less than End port', { code: 'INVALID_RULE', found });
    }
  }
}

/** Whether exactly one field of the union is given; what is missing or too much is reported. */
function requireOne(union: object, path: FieldPath, expected: string, report: Report): boolean {
  const given = Object.entries(union).flatMap(([field, value]) => (value === undefined ? [] : [field]));
  if (given.length === 1) return true;
  const found = given.length === 0 ? 'nothing' : given.join(', ');
  report(path, 'exactly one field must be set', { code: 'INVALID_RULE', found, expected });
  return false;
}

// Kubernetes NetworkPolicies whose fields contradict each other (k8s pkg/apis/networking/validation).
import { maskWord, parsePrefixText } from '../base/ip-text.ts';
import type { FieldPath } from './field-path.ts';
import type { Report } from './report.ts';
import type { KubernetesPolicySpec, PeerSpec, PortSpec } from './schemas/kubernetes-policy.ts';
import { checkLabelSelector } from './validate-label-selector.ts';
import { checkStagedDelete } from './validate-staged.ts';

/** networking.k8s.io/v1 NetworkPolicy and StagedKubernetesNetworkPolicy. */
export function checkKubernetesPolicy(spec: KubernetesPolicySpec, report: Report): void {
  if (spec.stagedAction === 'Delete') {
    checkStagedDelete({ ...spec, podSelector: Object.keys(spec.podSelector) }, 'Spec fields', [], report);
    return;
  }
  checkLabelSelector(spec.podSelector, ['spec', 'podSelector'], report);
  for (const [index, rule] of (spec.ingress ?? []).entries()) {
    checkRule(rule.from, 'from', rule.ports, ['spec', 'ingress', index], report);
  }
  for (const [index, rule] of (spec.egress ?? []).entries()) {
    checkRule(rule.to, 'to', rule.ports, ['spec', 'egress', index], report);
  }
}

function checkRule(
  peers: readonly PeerSpec[] | undefined,
  field: 'from' | 'to',
  ports: readonly PortSpec[] | undefined,
  path: FieldPath,
  report: Report,
): void {
  for (const [index, port] of (ports ?? []).entries()) checkPort(port, [...path, 'ports', index], report);
  for (const [index, peer] of (peers ?? []).entries()) checkPeer(peer, [...path, field, index], report);
}

function checkPort(port: PortSpec, path: FieldPath, report: Report): void {
  if (port.endPort === undefined) return;
  const at = [...path, 'endPort'];
  if (typeof port.port !== 'number') report(at, 'endPort needs a numeric port', { code: 'INVALID_RULE' });
  else if (port.endPort < port.port) {
    report(at, 'endPort is below port', {
      code: 'INVALID_RULE',
      found: String(port.endPort),
      expected: `at least ${port.port}`,
    });
  }
}

function checkPeer(peer: PeerSpec, path: FieldPath, report: Report): void {
  const { podSelector, namespaceSelector, ipBlock } = peer;
  if (podSelector !== undefined) checkLabelSelector(podSelector, [...path, 'podSelector'], report);
  if (namespaceSelector !== undefined) checkLabelSelector(namespaceSelector, [...path, 'namespaceSelector'], report);
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (ipBlock === undefined) {
    if (!hasSelector) report(path, 'must specify a peer', { expected: 'podSelector, namespaceSelector or ipBlock' });
    return;
  }
  if (hasSelector) report(path, 'may not specify both ipBlock and another peer', { code: 'INVALID_RULE' });
  for (const [index, except] of (ipBlock.except ?? []).entries()) {
    if (isStrictlyInside(except, ipBlock.cidr)) continue;
    const details = { code: 'INVALID_RULE', found: except, expected: `a smaller part of ${ipBlock.cidr}` } as const;
    report([...path, 'ipBlock', 'except', index], 'is not inside the block', details);
  }
}

function isStrictlyInside(innerText: string, outerText: string): boolean {
  const inner = parsePrefixText(innerText);
  const outer = parsePrefixText(outerText);
  if (inner === undefined || outer === undefined || inner.words.length !== outer.words.length) return false;
  if (inner.length <= outer.length) return false;
  return outer.words.every(
    (word, index) => (word ^ ((inner.words[index] as number) & maskWord(outer.length, index))) === 0,
  );
}

// Which policy or endpoint a person means: `np/shop/web`, `gnp/baseline`, `shop/web-1`, or a bare name when only one
// thing is called that.
import { DataplaneError } from '../../base/errors.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import type { Policy, PolicyKind } from '../../model/policy.ts';
import type { World } from '../../model/world.ts';
import { nearestName } from '../../resources/nearest.ts';
import { policyName } from '../object-names.ts';

export type Subject =
  | { readonly kind: 'policy'; readonly policy: Policy }
  | { readonly kind: 'endpoint'; readonly endpoint: WorkloadEndpoint };

/** Kinds that a person may call so, e.g. `np`, `networkpolicies`, `pod`. */
export type KindsNamed = (text: string) => readonly (PolicyKind | 'endpoint')[];

interface Candidate {
  /** In the form that names nothing else. */
  readonly label: string;
  readonly kind: PolicyKind | 'endpoint';
  readonly namespace: string;
  readonly names: readonly string[];
  readonly subject: Subject;
}

const MAX_SHOWN = 8;
const MAX_NEAREST = 3;

/** Throws NOT_FOUND with the nearest names, or USAGE: with the names that the text could mean, or for a host endpoint. */
export function findSubject(text: string, world: World, kindsNamed: KindsNamed): Subject {
  const candidates = [...policyCandidates(world), ...endpointCandidates(world)];
  const steps = text.replace(':', '/').split('/');
  const found = candidates.filter((candidate) => isMeant(candidate, steps, kindsNamed));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.subject;
  if (found.length === 0) {
    refuseHostEndpoint(text, steps, world);
    throw notFound(text, candidates);
  }
  const labels = found.map(({ label }) => label).sort();
  throw new DataplaneError('USAGE', 'is ambiguous', {
    operation: 'explain',
    target: text,
    expected: `one of ${labels.slice(0, MAX_SHOWN).join(', ')}${labels.length > MAX_SHOWN ? ', ...' : ''}`,
  });
}

function isMeant({ kind, namespace, names }: Candidate, steps: readonly string[], kindsNamed: KindsNamed): boolean {
  const [first = '', second = '', third = ''] = steps;
  switch (steps.length) {
    case 1:
      return names.includes(first);
    case 2:
      return names.includes(second) && (namespace === first || kindsNamed(first).includes(kind));
    case 3:
      return names.includes(third) && namespace === second && kindsNamed(first).includes(kind);
    default:
      return false;
  }
}

function policyCandidates({ policies }: World): Candidate[] {
  return [...policies.values()].map((policy) => ({
    label: policyName(policy),
    kind: policy.kind,
    namespace: policy.namespace ?? '',
    names: [policy.name],
    subject: { kind: 'policy', policy },
  }));
}

function endpointCandidates({ workloadEndpoints }: World): Candidate[] {
  const all = [...workloadEndpoints.values()];
  const shared = new Set<string>();
  const seen = new Set<string>();
  for (const { displayName } of all) {
    if (seen.has(displayName)) shared.add(displayName);
    seen.add(displayName);
  }
  return all.map((endpoint) => ({
    label: shared.has(endpoint.displayName) ? endpoint.key : endpoint.displayName,
    kind: 'endpoint',
    namespace: endpoint.namespace,
    names: [endpoint.displayName.slice(endpoint.namespace.length + 1), endpoint.name],
    subject: { kind: 'endpoint', endpoint },
  }));
}

function refuseHostEndpoint(text: string, steps: readonly string[], { hostEndpoints }: World): void {
  if (![...hostEndpoints.values()].some(({ name }) => name === steps.at(-1))) return;
  throw new DataplaneError('USAGE', 'is a host endpoint, which is not explained', {
    operation: 'explain',
    target: text,
    expected: 'a policy or a workload endpoint',
    hint: 'tortie verdict answers for hosts',
  });
}

function notFound(text: string, candidates: readonly Candidate[]): DataplaneError {
  const isBare = !/[/:]/.test(text);
  const labels = new Map(
    candidates.map((candidate) => [isBare ? (candidate.names[0] ?? '') : candidate.label, candidate]),
  );
  const nearest: string[] = [];
  while (nearest.length < MAX_NEAREST) {
    const next = nearestName(text, labels.keys());
    if (next === undefined) break;
    nearest.push(labels.get(next)?.label ?? next);
    labels.delete(next);
  }
  return new DataplaneError('NOT_FOUND', 'no such policy or endpoint', {
    operation: 'explain',
    target: text,
    hint: nearest.length === 0 ? 'see: tortie get' : `did you mean ${nearest.join(' or ')}?`,
  });
}

// Generated tiers and policies of Calico's kinds, enforced and staged.
import { defined, type Random } from './random.ts';
import { type Json, rule } from './rules.ts';
import { namespaceSelector, selector, serviceAccountSelector } from './selectors.ts';
import { NAMESPACES, ORDERS, POLICY_NAMES, TIERS } from './vocabulary.ts';

export const STAGED_ACTIONS = ['Set', 'Learn', 'Ignore'] as const;

const CALICO_KINDS = [
  'GlobalNetworkPolicy',
  'GlobalNetworkPolicy',
  'GlobalNetworkPolicy',
  'NetworkPolicy',
  'NetworkPolicy',
  'NetworkPolicy',
  'StagedGlobalNetworkPolicy',
  'StagedNetworkPolicy',
] as const;

const BUILT_IN_TIERS: readonly Json[] = [
  { name: 'default', spec: { order: 1_000_000, defaultAction: 'Deny' } },
  { name: 'kube-admin', spec: { order: 1000, defaultAction: 'Pass' } },
  { name: 'kube-baseline', spec: { order: 10_000_000 } },
];

/** The tiers that are not built in, most of the time; built-in ones as they must be, now and then. */
export function tiers(random: Random): Json[] {
  const own = ['first', 'second', 'third']
    .filter(() => random.chance(85))
    .map((name) => ({
      name,
      spec: defined({
        order: random.maybe(80, () => random.pick(ORDERS)),
        defaultAction: random.maybe(80, () => random.pick(['Pass', 'Pass', 'Deny'])),
      }),
    }));
  return [...own, ...random.some(BUILT_IN_TIERS, 10)].map(({ name, spec }) => ({
    apiVersion: 'projectcalico.org/v3',
    kind: 'Tier',
    metadata: defined({ name }),
    spec,
  }));
}

export function calicoPolicy(random: Random): Json {
  const kind = random.pick(CALICO_KINDS);
  const isGlobal = kind.includes('Global');
  const isStaged = kind.startsWith('Staged');
  return {
    apiVersion: random.chance(95) ? 'projectcalico.org/v3' : 'crd.projectcalico.org/v1',
    kind,
    metadata: defined({
      namespace: isGlobal ? undefined : random.pick(NAMESPACES),
      name: random.pick(POLICY_NAMES),
      labels: random.maybe(5, () => ({ 'projectcalico.org/tier': 'default' })),
    }),
    spec:
      isStaged && random.chance(8)
        ? defined({ stagedAction: 'Delete', tier: random.maybe(50, () => random.pick(TIERS)) })
        : policySpec(random, isGlobal, isStaged),
  };
}

/** special: what makes it a policy for host endpoints. */
export function policySpec(
  random: Random,
  isGlobal: boolean,
  isStaged: boolean,
  special: Json = isGlobal && random.chance(8) ? hostOnly(random) : {},
): Json {
  const hasEgress = special.preDNAT !== true;
  const rules = (direction: 'ingress' | 'egress'): Json[] | undefined =>
    random.maybe(85, () => random.list(0, 4, () => rule(random, direction, isGlobal ? 'global' : 'namespaced')));
  return defined({
    tier: random.maybe(60, () => random.pick(TIERS)),
    order: random.maybe(65, () => random.pick(ORDERS)),
    selector: random.maybe(35, () => (random.chance(5) ? '' : selector(random))),
    namespaceSelector: isGlobal ? random.maybe(12, () => endpointNamespaces(random)) : undefined,
    serviceAccountSelector: random.maybe(8, () => serviceAccountSelector(random)),
    types: random.maybe(40, () =>
      hasEgress ? random.pick([['Ingress'], ['Egress'], ['Egress', 'Ingress']]) : ['Ingress'],
    ),
    ingress: rules('ingress'),
    egress: hasEgress ? rules('egress') : undefined,
    performanceHints: random.maybe(5, () => ['AssumeNeededOnEveryNode']),
    stagedAction: isStaged ? random.maybe(60, () => random.pick(STAGED_ACTIONS)) : undefined,
    ...special,
  });
}

/** global() is for peers alone. */
function endpointNamespaces(random: Random): string {
  const text = namespaceSelector(random);
  return text === 'global()' ? 'all()' : text;
}

/** Policies for host endpoints: those before conntrack and before DNAT do not touch workloads. */
function hostOnly(random: Random): Json {
  return random.pick<Json>([
    { applyOnForward: true },
    { applyOnForward: true, doNotTrack: true },
    { applyOnForward: true, preDNAT: true },
    { applyOnForward: false, doNotTrack: false, preDNAT: false },
  ]);
}

// Flows as Whisker shows them: what its backend answers, and the filters that it asks with. One flow is one key over one bucket.
import { z } from 'zod';
import type { FlowEnd, FlowLog } from '../flows/flow-log.ts';

const KINDS: Readonly<Record<string, string>> = {
  np: 'CalicoNetworkPolicy',
  gnp: 'GlobalNetworkPolicy',
  snp: 'StagedNetworkPolicy',
  sgnp: 'StagedGlobalNetworkPolicy',
  sknp: 'StagedKubernetesNetworkPolicy',
  knp: 'NetworkPolicy',
  kcnp: 'ClusterNetworkPolicy',
  pro: 'Profile',
  eot: 'EndOfTier',
};
const NONE = '-';
const ACTIONS = ['Allow', 'Deny', 'Pass'] as const;
type Action = (typeof ACTIONS)[number];

export interface WhiskerPolicy {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly tier: string;
  readonly action: Action;
  readonly policy_index: number;
  readonly rule_index: number;
  /** The policy that the end of a tier is laid to. */
  readonly trigger: Omit<WhiskerPolicy, 'trigger'> | null;
}

export interface WhiskerFlow {
  readonly start_time: string;
  readonly end_time: string;
  readonly action: Action;
  readonly source_name: string;
  readonly source_namespace: string;
  readonly source_labels: string;
  readonly dest_name: string;
  readonly dest_namespace: string;
  readonly dest_labels: string;
  readonly protocol: string;
  readonly dest_port: number;
  readonly reporter: 'Src' | 'Dst';
  readonly policies: { readonly enforced: readonly WhiskerPolicy[]; readonly pending: readonly WhiskerPolicy[] };
  readonly packets_in: number;
  readonly packets_out: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
}

export function toWhiskerFlow(log: FlowLog): WhiskerFlow {
  return {
    start_time: new Date(log.startTime).toISOString(),
    end_time: new Date(log.endTime).toISOString(),
    action: toAction(log.action),
    source_name: log.source.aggregatedName,
    source_namespace: log.source.namespace || NONE,
    source_labels: labelsOf(log.source),
    dest_name: log.destination.aggregatedName,
    dest_namespace: log.destination.namespace || NONE,
    dest_labels: labelsOf(log.destination),
    protocol: log.protocol.toLowerCase(),
    dest_port: log.destination.port,
    reporter: log.reporter === 'src' ? 'Src' : 'Dst',
    policies: { enforced: log.enforced.flatMap(toPolicy), pending: log.pending.flatMap(toPolicy) },
    packets_in: log.packetsIn,
    packets_out: log.packetsOut,
    bytes_in: log.bytesIn,
    bytes_out: log.bytesOut,
  };
}

function labelsOf({ labels }: FlowEnd): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' | ');
}

function toAction(text: string): Action {
  return ACTIONS.find((action) => action.toLowerCase() === text) ?? 'Deny';
}

/** Of a trace string; what is none gives nothing. */
function toPolicy(text: string): WhiskerPolicy[] {
  const [, index, tier = '', short = '', scope = '', name = '', action = '', rule] =
    /^(\d+)\|([^|]+)\|([a-z]+):(?:([^/|]*)\/)?([^|]+)\|([a-z]+)\|(-?\d+)$/.exec(text) ?? [];
  if (index === undefined) return [];
  const policy = {
    kind: KINDS[short] ?? short,
    name,
    namespace: scope,
    tier,
    action: toAction(action),
    policy_index: Number(index),
    rule_index: Number(rule),
  };
  const isEnd = policy.rule_index === -1 && short !== 'pro';
  return [
    isEnd ? { ...policy, kind: 'EndOfTier', name: '', namespace: '', trigger: policy } : { ...policy, trigger: null },
  ];
}

const MAX_VALUES = 256;
const textMatch = z.strictObject({ value: z.string().max(512), type: z.enum(['Exact', 'Fuzzy']).default('Exact') });
const texts = z.array(textMatch).max(MAX_VALUES).default([]);
const actions = z.array(z.enum(ACTIONS)).max(MAX_VALUES).default([]);
const policyMatch = z.strictObject({
  kind: z.string().max(64).optional(),
  tier: textMatch.optional(),
  name: textMatch.optional(),
  namespace: textMatch.optional(),
  action: z.enum(ACTIONS).optional(),
});

/** The values of a field are alternatives; all fields must hold. */
export const whiskerFilter = z.strictObject({
  source_names: texts,
  source_namespaces: texts,
  dest_names: texts,
  dest_namespaces: texts,
  protocols: texts,
  dest_ports: z
    .array(z.strictObject({ value: z.number().int(), type: z.string().optional() }))
    .max(MAX_VALUES)
    .default([]),
  actions,
  pending_actions: actions,
  policies: z.array(policyMatch).max(MAX_VALUES).default([]),
  reporter: z.enum(['Src', 'Dst']).optional(),
});

export type WhiskerFilter = z.infer<typeof whiskerFilter>;

export function whiskerMatches(flow: WhiskerFlow, filter: WhiskerFilter): boolean {
  const any = <T>(values: readonly T[], holds: (value: T) => boolean) => values.length === 0 || values.some(holds);
  const text = (values: WhiskerFilter['protocols'], found: string) => any(values, (value) => isMatch(value, found));
  const { enforced, pending } = flow.policies;
  return (
    text(filter.source_names, flow.source_name) &&
    text(filter.source_namespaces, flow.source_namespace) &&
    text(filter.dest_names, flow.dest_name) &&
    text(filter.dest_namespaces, flow.dest_namespace) &&
    text(filter.protocols, flow.protocol) &&
    any(filter.dest_ports, ({ value }) => value === flow.dest_port) &&
    any(filter.actions, (action) => action === flow.action) &&
    any(filter.pending_actions, (action) => action === pending.at(-1)?.action) &&
    any(filter.policies, (match) => [...enforced, ...pending].some((policy) => isPolicyMatch(match, policy))) &&
    (filter.reporter === undefined || filter.reporter === flow.reporter)
  );
}

function isMatch({ value, type }: z.infer<typeof textMatch>, found: string): boolean {
  return type === 'Exact' ? value === found : found.toLowerCase().includes(value.toLowerCase());
}

function isPolicyMatch(
  { kind, tier, name, namespace, action }: z.infer<typeof policyMatch>,
  hit: WhiskerPolicy,
): boolean {
  const policy = hit.trigger ?? hit;
  return (
    (kind === undefined || kind === hit.kind || kind === policy.kind) &&
    (tier === undefined || isMatch(tier, policy.tier)) &&
    (name === undefined || isMatch(name, policy.name)) &&
    (namespace === undefined || isMatch(namespace, policy.namespace)) &&
    (action === undefined || action === policy.action)
  );
}

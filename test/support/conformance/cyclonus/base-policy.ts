// The policy that the generated cases vary: on x/a, both directions, one rule each for TCP port 80. With the rows of its truth table.
import type { Manifest } from '../case.ts';
import { expression, labelled, networkPolicy, type PolicyParts, type PolicyRule } from '../network-policy.ts';

/** As generated suites do with every policy that governs egress; no case asks for port 53. */
const DNS: PolicyRule = {
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
};

export const BASE_INGRESS: PolicyRule = {
  ports: [{ protocol: 'TCP', port: 80 }],
  peers: [{ podSelector: expression('pod', 'In', 'b', 'c'), namespaceSelector: expression('ns', 'In', 'x', 'y') }],
};
export const BASE_EGRESS: PolicyRule = {
  ports: [{ protocol: 'TCP', port: 80 }],
  peers: [{ podSelector: expression('pod', 'In', 'a', 'b'), namespaceSelector: expression('ns', 'In', 'y', 'z') }],
};

export const CLOSED_INGRESS = ['deny * -> x/a'];
export const CLOSED_EGRESS = ['deny x/a -> *'];
/** Whom BASE_INGRESS lets in and BASE_EGRESS lets x/a reach. */
export const BASE_SOURCES = 'x/b, x/c, y/b, y/c';
export const BASE_DESTINATIONS = 'y/a, y/b, z/a, z/b';
export const BASE_INGRESS_ROWS = [...CLOSED_INGRESS, `allow ${BASE_SOURCES} -> x/a : TCP80`];
export const BASE_EGRESS_ROWS = [...CLOSED_EGRESS, `allow x/a -> ${BASE_DESTINATIONS} : TCP80`];
export const BASE_ROWS = [...BASE_INGRESS_ROWS, ...BASE_EGRESS_ROWS];

export interface BaseChanges extends Pick<PolicyParts, 'pods'> {
  readonly namespace?: string;
  readonly ingress?: PolicyRule;
  readonly egress?: PolicyRule;
}

/** The base policy but for the parts given; each direction still has one rule, egress another one for DNS. */
export function basePolicy(changes: BaseChanges = {}): Manifest {
  const { namespace = 'x', pods = labelled({ pod: 'a' }), ingress = BASE_INGRESS, egress = BASE_EGRESS } = changes;
  return networkPolicy(namespace, 'base', { pods, ingress: [ingress], egress: [egress, DNS] });
}

export type Direction = 'ingress' | 'egress';
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/** The base policy with all rules of one or both directions replaced. */
export function baseWithRules({ ingress = [BASE_INGRESS], egress = [BASE_EGRESS, DNS] }: PolicyParts): Manifest {
  return networkPolicy('x', 'base', { pods: labelled({ pod: 'a' }), ingress, egress });
}

/** The base policy with parts of one direction's rule replaced. */
export function baseWith(direction: Direction, change: PolicyRule): Manifest {
  return direction === 'ingress'
    ? basePolicy({ ingress: { ...BASE_INGRESS, ...change } })
    : basePolicy({ egress: { ...BASE_EGRESS, ...change } });
}

/** Rows of a base policy whose rule in one direction lets these pods through at these ports (empty = all ports). */
export function rowsWith(direction: Direction, pods: string, ports: string): string[] {
  const suffix = ports === '' ? '' : ` : ${ports}`;
  return direction === 'ingress'
    ? [...CLOSED_INGRESS, `allow ${pods} -> x/a${suffix}`, ...BASE_EGRESS_ROWS]
    : [...BASE_INGRESS_ROWS, ...CLOSED_EGRESS, `allow x/a -> ${pods}${suffix}`];
}

/** Rows of a base policy whose rule in one direction lets nothing through. */
export function closedRows(direction: Direction): string[] {
  return direction === 'ingress' ? [...CLOSED_INGRESS, ...BASE_EGRESS_ROWS] : [...BASE_INGRESS_ROWS, ...CLOSED_EGRESS];
}

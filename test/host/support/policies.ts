// Small policies as objects, for tests that write and rewrite them. What they ought to do is said where they are used.

export interface RuleSpec {
  readonly action: 'Allow' | 'Deny' | 'Pass' | 'Log';
  readonly protocol?: string;
  readonly source?: object;
  readonly destination?: object;
}

export interface PolicySpec {
  readonly name: string;
  readonly namespace: string;
  readonly selector: string;
  readonly ingress?: readonly RuleSpec[];
  readonly egress?: readonly RuleSpec[];
  readonly order?: number;
  readonly tier?: string;
}

/** A Calico NetworkPolicy that governs the directions it has rules for. */
export function policy({ name, namespace, ...spec }: PolicySpec): object {
  const types = [...(spec.ingress ? ['Ingress'] : []), ...(spec.egress ? ['Egress'] : [])];
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: { order: 100, ...spec, types },
  };
}

/** Rules that allow TCP and UDP to these ports. */
export function allowPorts(ports: readonly number[], more: Pick<RuleSpec, 'source'> = {}): RuleSpec[] {
  return ['TCP', 'UDP'].map((protocol) => ({ action: 'Allow', protocol, destination: { ports }, ...more }));
}

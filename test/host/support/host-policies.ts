// Host endpoints and what is about them, as objects for tests that write and rewrite them.
import type { RuleSpec } from './policies.ts';
import { NODE } from './workloads.ts';

export interface HostEndpointSpec {
  readonly interfaceName?: string;
  readonly expectedIPs?: readonly string[];
  readonly profiles?: readonly string[];
  /** Besides `host: <name>`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface HostPolicySpec {
  readonly name: string;
  readonly selector?: string;
  readonly order?: number;
  readonly ingress?: readonly RuleSpec[];
  readonly egress?: readonly RuleSpec[];
  readonly applyOnForward?: boolean;
  readonly preDNAT?: boolean;
  readonly doNotTrack?: boolean;
}

/** Of the node of all workloads. */
export function hostEndpoint(name: string, { labels, ...spec }: HostEndpointSpec): object {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'HostEndpoint',
    metadata: { name, labels: { host: name, ...labels } },
    spec: { node: NODE, ...spec },
  };
}

/** A GlobalNetworkPolicy of all host endpoints, unless it selects others; it governs the directions that it has rules for. */
export function hostPolicy({ name, ...spec }: HostPolicySpec): object {
  const types = [...(spec.ingress ? ['Ingress'] : []), ...(spec.egress ? ['Egress'] : [])];
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name },
    spec: { selector: 'has(host)', order: 100, ...spec, types },
  };
}

/** For all nodes. */
export function felix(spec: Readonly<Record<string, unknown>>): object {
  return { apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration', metadata: { name: 'default' }, spec };
}

/** Lets TCP to the port in. */
export function allowPort(port: number, parts: Partial<HostPolicySpec> = {}): object {
  const ingress = [{ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } } as const];
  return hostPolicy({ name: 'allow', ingress, ...parts });
}

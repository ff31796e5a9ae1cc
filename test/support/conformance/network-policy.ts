// networking.k8s.io/v1 NetworkPolicies and their parts, short enough to read a case at a glance.
import type { Manifest, Protocol } from './case.ts';
import { addressesAt, type Place } from './cluster.ts';

type Labels = Readonly<Record<string, string>>;

export interface LabelSelector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

export interface PolicyPeer {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
  readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PolicyPort {
  readonly protocol?: Protocol;
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface PolicyRule {
  readonly peers?: readonly PolicyPeer[];
  readonly ports?: readonly PolicyPort[];
}

export interface PolicyParts {
  /** Absent = every pod of the namespace. */
  readonly pods?: LabelSelector;
  /** Absent = ingress is not governed; empty = nothing is allowed. */
  readonly ingress?: readonly PolicyRule[];
  readonly egress?: readonly PolicyRule[];
}

export const ANY: LabelSelector = {};

export function labelled(matchLabels: Labels): LabelSelector {
  return { matchLabels };
}

export function expression(
  key: string,
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist',
  ...values: string[]
): LabelSelector {
  return { matchExpressions: [values.length === 0 ? { key, operator } : { key, operator, values }] };
}

export function networkPolicy(namespace: string, name: string, { pods = ANY, ingress, egress }: PolicyParts): Manifest {
  const policyTypes = [...(ingress ? ['Ingress'] : []), ...(egress ? ['Egress'] : [])];
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name, namespace },
    spec: {
      podSelector: pods,
      policyTypes,
      ...(ingress && { ingress: ingress.map(({ peers, ports }) => ({ from: peers, ports })) }),
      ...(egress && { egress: egress.map(({ peers, ports }) => ({ to: peers, ports })) }),
    },
  };
}

/** Blocks of one place in both families: 10.66.0.0/24 and fd00:66::/120 have the same `hostBits`, 8. */
export function dualBlocks(place: Place, hostBits: number, exceptHostBits?: number): PolicyPeer[] {
  return addressesAt(place).map((address) => {
    const block = (bits: number) => `${networkAddress(address, bits)}/${(address.includes(':') ? 128 : 32) - bits}`;
    return {
      ipBlock: {
        cidr: block(hostBits),
        ...(exceptHostBits !== undefined && { except: [block(exceptHostBits)] }),
      },
    };
  });
}

/** Up to eight host bits: they are all in the address's last part. */
function networkAddress(address: string, hostBits: number): string {
  const isV6 = address.includes(':');
  return address.replace(/[0-9a-f]+$/, (part) => {
    const number = Number.parseInt(part, isV6 ? 16 : 10);
    return ((number >>> hostBits) << hostBits).toString(isV6 ? 16 : 10);
  });
}

// Host endpoints that nobody wrote: what Calico's node controller would make of the nodes and its configuration. Part of
// ModelStore; how nodes and configuration are written is known to parse/.
//
//   plan + node --deriveHostEndpoints--> endpoints, anew for each node that changes, and for all when the plan does
import { sha256 } from '@noble/hashes/sha2.js';
import { containsAddress } from './address.ts';
import type { HostEndpoint } from './endpoint.ts';
import {
  distinctAddresses,
  type HostEndpointPlan,
  type HostEndpointSource,
  type NodeFacts,
} from './host-endpoint-source.ts';
import { ANY_INTERFACE } from './host-interfaces.ts';
import { DEFAULT_ALLOW_PROFILE } from './parse/profiles.ts';
import { freezeDeep } from './parse/result.ts';
import { matches } from './selector/evaluate.ts';

const CREATED_BY = 'projectcalico.org/created-by';
const CREATOR = 'calico-kube-controllers';
const SUFFIX = 'auto-hep';
/** Of a DNS subdomain. */
const MAX_NAME = 253;
/** Without the last two, which no name may have. */
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The node's endpoints, frozen; of several with one name the last counts, as it would be written last. */
export function deriveHostEndpoints({ hasDefault, templates }: HostEndpointPlan, node: NodeFacts): HostEndpoint[] {
  const endpoints = new Map<string, HostEndpoint>();
  const add = (parts: readonly string[], endpoint: EndpointParts): void => {
    const name = nameOf([node.name, ...parts.filter((part) => part !== ''), SUFFIX].join('-'));
    endpoints.set(name, endpointOf(name, node, endpoint));
  };
  if (hasDefault) add([], { interfaceName: ANY_INTERFACE, addresses: node.addresses, labels: {} });
  const labelOf = (label: string): string | undefined =>
    Object.hasOwn(node.labels, label) ? node.labels[label] : undefined;
  for (const { name, cidrs, pattern, nodes, labels } of templates) {
    if (!matches(nodes, labelOf)) continue;
    const addresses = node.addresses.filter((address) => cidrs.some((cidr) => containsAddress(cidr, address)));
    if (pattern === undefined) {
      if (addresses.length > 0) add([name], { interfaceName: '', addresses, labels });
      continue;
    }
    for (const each of node.interfaces.filter((found) => pattern(found.name))) {
      const all = distinctAddresses([...addresses, ...each.addresses]);
      add([name, each.name], { interfaceName: each.name, addresses: all, labels });
    }
  }
  return [...endpoints.values()];
}

type EndpointParts = Pick<HostEndpoint, 'interfaceName' | 'addresses' | 'labels'>;

function endpointOf(name: string, node: NodeFacts, { interfaceName, addresses, labels }: EndpointParts): HostEndpoint {
  return freezeDeep({
    type: 'hostEndpoint',
    key: name,
    name,
    node: node.name,
    interfaceName,
    addresses,
    labels: { ...node.labels, ...labels, [CREATED_BY]: CREATOR },
    profiles: [DEFAULT_ALLOW_PROFILE.name],
    ports: [],
    location: node.location,
  });
}

/** Too long a name is its digest: in base64, without what a name may not have, in lower case. */
function nameOf(name: string): string {
  if (name.length <= MAX_NAME) return name;
  const digest = sha256(Uint8Array.from(name, (character) => character.charCodeAt(0)));
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, '0')).join('');
  const letters = (bits.match(/.{1,6}/g) ?? []).map((six) => BASE64.charAt(Number.parseInt(six.padEnd(6, '0'), 2)));
  return `${letters.join('').toLowerCase()}-${SUFFIX}`;
}

/** The plan and the nodes there are, and what came of which. */
export class AutoHostEndpoints {
  readonly #nodes = new Map<string, NodeFacts>();
  readonly #changed = new Set<string>();
  #plan: { readonly id: string; readonly plan: HostEndpointPlan } | undefined;
  #isPlanNew = false;

  /** By the id of the resource that it comes from. */
  set(id: string, source: HostEndpointSource): void {
    if (source.kind === 'hostEndpointPlan') {
      this.#plan = { id, plan: source };
      this.#isPlanNew = true;
      return;
    }
    this.#nodes.set(id, source);
    this.#changed.add(id);
  }

  delete(id: string): void {
    this.#nodes.delete(id);
    this.#changed.delete(id);
    if (this.#plan?.id !== id) return;
    this.#plan = undefined;
    this.#isPlanNew = true;
  }

  /** What stands for each node that may have other endpoints than at the last time, by the id of its resource. */
  *settle(): Iterable<readonly [id: string, endpoints: readonly HostEndpoint[]]> {
    const ids = this.#isPlanNew ? [...this.#nodes.keys()] : [...this.#changed];
    this.#isPlanNew = false;
    this.#changed.clear();
    for (const id of ids) {
      const node = this.#nodes.get(id);
      if (node !== undefined) yield [id, this.#plan === undefined ? [] : deriveHostEndpoints(this.#plan.plan, node)];
    }
  }
}

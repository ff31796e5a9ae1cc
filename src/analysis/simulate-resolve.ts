// Ends of recorded flows -> addresses to ask policy about. A name is looked up in the manifests, an aggregate stands for
// every endpoint it may mean, a network for one address of each region that policy tells apart.
import { containsAddress, formatAddress, type IpAddress } from '../model/address.ts';
import type { NetworkSet, WorkloadEndpoint } from '../model/endpoint.ts';
import type { World } from '../model/world.ts';
import { type EndpointNames, workloadName } from './endpoint-names.ts';
import type { RecordedEnd, RecordedName } from './flow-logs/recorded-flow.ts';
import { knownPrefixes, MAX_REGIONS, networkScope, regionsOfScope, regionsWithin } from './outsiders.ts';

export interface ResolvedEnd {
  /** Equal for ends that are judged alike. */
  readonly id: string;
  /** What rows call it; pods of one controller share a label. */
  readonly label: string;
  readonly addresses: readonly IpAddress[];
  readonly isWorkload: boolean;
}

export interface UnresolvedEnd {
  readonly unresolved: string;
}

/** Members of an aggregate that are looked at. */
const MAX_MEMBERS = 256;
const MAX_REMEMBERED = 20_000;
/** They are another for each replica set, pod or cluster: no sign of the same workload. */
const VOLATILE_LABEL =
  /^(?:pod-template-hash|controller-revision-hash|pod-template-generation|(?:statefulset|apps)\.kubernetes\.io\/.*|projectcalico\.org\/.*|pcns\..*|pcsa\..*)$/;

export class EndResolver {
  readonly #world: World;
  readonly #names: EndpointNames;
  readonly #known: ReturnType<typeof knownPrefixes>;
  readonly #sets: readonly NetworkSet[];
  readonly #remembered = new Map<string, ResolvedEnd | UnresolvedEnd>();

  constructor(world: World, names: EndpointNames) {
    this.#world = world;
    this.#names = names;
    this.#known = knownPrefixes(world);
    this.#sets = [...world.networkSets.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  resolve(end: RecordedEnd): ResolvedEnd | UnresolvedEnd {
    const key = keyOf(end);
    const remembered = this.#remembered.get(key);
    if (remembered !== undefined) return remembered;
    const resolved = this.#find(end, key);
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    this.#remembered.set(key, resolved);
    return resolved;
  }

  #find({ name, address }: RecordedEnd, key: string): ResolvedEnd | UnresolvedEnd {
    if (name?.kind === 'workload' || name?.kind === 'unknown') {
      const found = this.#workloads(name, address);
      if (found.length > 0) return workloadsEnd(found, name, address, key);
    }
    const isLostWorkload = name?.kind === 'workload';
    if (address !== undefined && !isLostWorkload) return this.#addressEnd(address);
    const outsider = name === undefined ? undefined : this.#outsider(name);
    if (outsider !== undefined) return { id: key, isWorkload: false, ...outsider };
    return { unresolved: describeName(name, address) };
  }

  /** By name, by the beginning of the name, by labels, by address within the namespace; none = not in the manifests. */
  #workloads({ namespace, name, labels }: RecordedName, address: IpAddress | undefined): readonly WorkloadEndpoint[] {
    if (namespace === undefined) return [];
    const named = this.#names.matching(`${namespace}/${name}`);
    if (named.length > 0) return named;
    const wanted = labels.map(splitLabel).filter(([label]) => !VOLATILE_LABEL.test(label));
    const labelled = this.#names
      .inNamespace(namespace)
      .filter((endpoint) => wanted.every(([label, value]) => endpoint.labels[label] === value));
    if (wanted.length > 0 && labelled.length > 0) return labelled;
    const there = address === undefined ? undefined : this.#names.at(address);
    return there?.namespace === namespace ? [there] : [];
  }

  #addressEnd(address: IpAddress): ResolvedEnd {
    const endpoint = this.#names.at(address);
    const id = formatAddress(address);
    const label = endpoint === undefined ? this.#labelOf(address, id) : workloadName(endpoint);
    return { id, label, addresses: [address], isWorkload: endpoint !== undefined };
  }

  #labelOf(address: IpAddress, text: string): string {
    for (const { name, addresses } of this.#world.hostEndpoints.values()) {
      if (addresses.some((own) => formatAddress(own) === text)) return `host ${name}`;
    }
    const set = this.#sets.find(({ nets }) => nets.some((net) => containsAddress(net, address)));
    return set === undefined ? `${networkScope(address)} network` : setLabel(set);
  }

  #outsider({ kind, namespace, name }: RecordedName): Pick<ResolvedEnd, 'label' | 'addresses'> | undefined {
    if (kind === 'network') {
      const scope = name === 'private' ? 'private' : 'public';
      return { label: `${scope} network`, addresses: regionsOfScope(scope, this.#known, (it) => this.#isTaken(it)) };
    }
    if (kind === 'networkSet' || kind === 'unknown') {
      const set = this.#sets.find((candidate) => candidate.name === name && candidate.namespace === namespace);
      if (set !== undefined)
        return {
          label: setLabel(set),
          addresses: regionsWithin(set.nets, this.#known, (it) => this.#names.at(it) !== undefined),
        };
    }
    if (kind === 'workload' || namespace !== undefined) return undefined;
    const hosts = [...this.#world.hostEndpoints.values()].filter((host) => host.name === name || host.node === name);
    const addresses = hosts.flatMap((host) => host.addresses).slice(0, MAX_REGIONS);
    return addresses.length === 0 ? undefined : { label: `host ${name}`, addresses };
  }

  /** Calico calls an address part of a network only when nothing that it knows owns it. */
  #isTaken(address: IpAddress): boolean {
    if (this.#names.at(address) !== undefined) return true;
    return this.#sets.some(({ nets }) => nets.some((net) => containsAddress(net, address)));
  }
}

function workloadsEnd(
  found: readonly WorkloadEndpoint[],
  { namespace, name }: RecordedName,
  address: IpAddress | undefined,
  key: string,
): ResolvedEnd {
  const members = found.slice(0, MAX_MEMBERS);
  const labels = new Set(members.map(workloadName));
  const [only] = labels;
  const label = labels.size === 1 && only !== undefined ? only : `${namespace}/${name}`;
  const all = members.flatMap((endpoint) => endpoint.addresses);
  const text = address === undefined ? undefined : formatAddress(address);
  const own = text === undefined ? undefined : all.find((candidate) => formatAddress(candidate) === text);
  if (own !== undefined && text !== undefined) return { id: text, label, addresses: [own], isWorkload: true };
  const sameFamily = all.filter(({ family }) => family === address?.family);
  return { id: key, label, addresses: sameFamily.length > 0 ? sameFamily : all, isWorkload: true };
}

function setLabel({ namespace, name }: NetworkSet): string {
  return `${namespace === undefined ? '' : `${namespace}/`}${name} (network set)`;
}

function describeName(name: RecordedName | undefined, address: IpAddress | undefined): string {
  if (name === undefined) return 'nothing';
  const scope = name.namespace === undefined ? '' : `${name.namespace}/`;
  return `${scope}${name.name}${address === undefined ? '' : ` (${formatAddress(address)})`}`;
}

function keyOf({ name, address }: RecordedEnd): string {
  const text = address === undefined ? '' : formatAddress(address);
  return name === undefined ? text : [text, name.kind, name.namespace ?? '', name.name, ...name.labels].join('\n');
}

function splitLabel(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

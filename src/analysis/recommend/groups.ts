// Workloads as policies speak of them: endpoints that are one application, put together by the labels that say so, and the
// conditions that name them.
import { formatAddress, type IpAddress } from '../../model/address.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import { NAME_LABEL, NAMESPACE_LABEL, NAMESPACE_PREFIX } from '../../model/selector/scope.ts';
import { workloadName } from '../endpoint-names.ts';
import type { Inventory, Member } from '../inventory.ts';
import { chooseLabels, formatTerms, IDENTITY_LABELS, identityOf, type LabelChoice } from './label-choice.ts';

export interface WorkloadGroup {
  readonly kind: 'workloads';
  /** Unique over all units, see units.ts. */
  readonly id: string;
  readonly namespace: string;
  /** What people call it: `web`. */
  readonly name: string;
  readonly endpoints: readonly WorkloadEndpoint[];
  /** Within the namespace. */
  readonly selector: string;
  /** Endpoints of others that the selector takes in, because no labels tell them apart. */
  readonly extra: number;
  /** Selects the namespace; undefined = it has no labels, and the selector has to say it. */
  readonly namespaceSelector?: string;
}

const METADATA_NAME = 'kubernetes.io/metadata.name';

export class WorkloadGroups {
  readonly inventory: Inventory;
  readonly all: readonly WorkloadGroup[];
  readonly #byAddress = new Map<string, WorkloadGroup>();
  readonly #byEndpoint = new Map<string, WorkloadGroup>();

  constructor(inventory: Inventory) {
    this.inventory = inventory;
    const spaces = new Map<string, Member[]>();
    for (const member of inventory.members.values()) {
      const namespace = namespaceOf(member);
      if (namespace === undefined) continue;
      const space = spaces.get(namespace);
      if (space === undefined) spaces.set(namespace, [member]);
      else space.push(member);
    }
    this.all = [...spaces].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, members]) => groupsOf(members));
    for (const group of this.all) {
      for (const endpoint of group.endpoints) {
        this.#byEndpoint.set(endpoint.key, group);
        for (const address of endpoint.addresses) this.#byAddress.set(formatAddress(address), group);
      }
    }
  }

  at(address: IpAddress): WorkloadGroup | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  of(endpoint: WorkloadEndpoint): WorkloadGroup | undefined {
    return this.#byEndpoint.get(endpoint.key);
  }
}

/** Conditions that name one object among those that a selector of its scope can match. */
export function chooseFor(chosen: Member, among: Iterable<Member>): LabelChoice {
  const others = [...among].filter(({ key }) => key !== chosen.key);
  return chooseLabels(
    [chosen.labels],
    others.map(({ labels }) => labels),
  );
}

/** Where a selector finds it: undefined = it is of no namespace. */
export function namespaceOf({ object }: Member): string | undefined {
  return object.type === 'hostEndpoint' ? undefined : object.namespace;
}

/** For peers in another namespace; undefined = the namespace has no labels that name it. */
export function namespaceSelectorOf({ labels }: Member, namespace: string): string | undefined {
  const label = [NAME_LABEL, METADATA_NAME].find((name) => labels.get(NAMESPACE_PREFIX + name) === namespace);
  return label === undefined ? undefined : `${label} == '${namespace}'`;
}

/** A selector for peers in whatever namespace has no labels. */
export function inNamespace(selector: string, namespace: string): string {
  const place = `${NAMESPACE_LABEL} == '${namespace}'`;
  return selector === 'all()' ? place : `${place} && ${selector}`;
}

function groupsOf(members: readonly Member[]): WorkloadGroup[] {
  const parts = new Map<string, Member[]>();
  for (const member of members) {
    if (member.object.type !== 'workloadEndpoint') continue;
    const identity = identityOf(member.labels).map((pair) => pair.join('='));
    const key = identity.join(',');
    const part = parts.get(key);
    if (part === undefined) parts.set(key, [member]);
    else part.push(member);
  }
  const names = new Set<string>();
  return [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => groupOf(part, members, names));
}

function groupOf(part: readonly Member[], members: readonly Member[], names: Set<string>): WorkloadGroup {
  const endpoints = part.map(({ object }) => object as WorkloadEndpoint).sort((a, b) => (a.key < b.key ? -1 : 1));
  const [first] = endpoints as [WorkloadEndpoint];
  const name = uniqueName(nameOf(endpoints, part[0] as Member), names);
  const namespaceSelector = namespaceSelectorOf(part[0] as Member, first.namespace);
  // Looking for conditions takes time in proportion to the namespace, and most groups are never named.
  let choice: LabelChoice | undefined;
  const chosen = (): LabelChoice => {
    choice ??= chooseAmong(part, members);
    return choice;
  };
  return {
    kind: 'workloads',
    id: `workloads ${first.namespace}/${name}`,
    namespace: first.namespace,
    name,
    endpoints,
    get selector() {
      return formatTerms(chosen().terms);
    },
    get extra() {
      return chosen().extra;
    },
    ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
  };
}

function chooseAmong(part: readonly Member[], members: readonly Member[]): LabelChoice {
  const own = new Set(part.map(({ key }) => key));
  const others = members.filter(({ key }) => !own.has(key));
  return chooseLabels(
    part.map(({ labels }) => labels),
    others.map(({ labels }) => labels),
  );
}

/** What its labels call it, else its controller or itself; fit for a name of an object. */
function nameOf(endpoints: readonly WorkloadEndpoint[], { labels }: Member): string {
  const [first] = endpoints as readonly [WorkloadEndpoint];
  const telling = IDENTITY_LABELS.filter((label) => label !== 'app.kubernetes.io/instance').flatMap(
    (label) => labels.get(label) ?? [],
  );
  const workload = workloadName(first).slice(first.namespace.length + 1);
  const text = telling.length === 0 ? workload : [...new Set(telling)].join('-');
  const fit = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .slice(0, 100)
    .replace(/-$/, '');
  return fit === '' ? 'workloads' : fit;
}

function uniqueName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let count = 2; taken.has(unique); count++) unique = `${name}-${count}`;
  taken.add(unique);
  return unique;
}

// Who there is: endpoints and network sets with their effective labels, and who a selector, a named port or a service
// speaks of. Answers about the world as it stands; nothing here knows packets or verdicts.
import { LabelIndex, type Labels } from '../calc/label-index.ts';
import type { LabelledItem } from '../calc/resolved.ts';
import { SelectorIndex } from '../calc/selector-index.ts';
import { hostCidr } from '../model/address.ts';
import type { HostEndpoint, NetworkSet, ServiceSlice, WorkloadEndpoint } from '../model/endpoint.ts';
import type { ServiceReference } from '../model/policy.ts';
import type { Selector } from '../model/selector/ast.ts';
import { formatSelector } from '../model/selector/canonical.ts';
import type { World } from '../model/world.ts';

export type LabelledObject = WorkloadEndpoint | HostEndpoint | NetworkSet;

/** Something with labels and addresses. */
export interface Member {
  /** Unique over all types. */
  readonly key: string;
  readonly object: LabelledObject;
  /** Inherited ones included. */
  readonly labels: Labels;
}

/** How often each value of each label occurs. */
export type LabelVocabulary = ReadonlyMap<string, ReadonlyMap<string, number>>;

export class Inventory {
  readonly world: World;
  readonly members: ReadonlyMap<string, Member>;
  readonly #selectors = new SelectorIndex();
  readonly #selected = new Map<string, readonly Member[]>();
  readonly #slices = new Map<string, ServiceSlice[]>();
  #vocabulary: LabelVocabulary | undefined;

  constructor(world: World) {
    this.world = world;
    this.members = this.#index();
    for (const slice of world.serviceSlices.values()) {
      const service = `${slice.namespace}/${slice.service}`;
      this.#slices.set(service, [...(this.#slices.get(service) ?? []), slice]);
    }
  }

  /** Everything that the selector matches, in the order of the world. */
  selected(selector: Selector): readonly Member[] {
    const text = formatSelector(selector);
    const known = this.#selected.get(text);
    if (known !== undefined) return known;
    const found: Member[] = [];
    const listener = {
      onMatch: ({ key }: LabelledItem) => found.push(this.members.get(key) as Member),
      onMismatch: () => undefined,
    };
    this.#selectors.register(selector, listener);
    this.#selectors.unregister(selector, listener);
    this.#selected.set(text, found);
    return found;
  }

  /** The workload endpoints that the selector matches. */
  selectedWorkloads(selector: Selector): WorkloadEndpoint[] {
    return this.selected(selector)
      .map(({ object }) => object)
      .filter((object) => object.type === 'workloadEndpoint');
  }

  /** Those of the members that define the port; protocol undefined = any. */
  holders(members: Iterable<Member>, name: string, protocol: number | undefined): Member[] {
    return [...members].filter(
      ({ object }) =>
        object.type !== 'networkSet' &&
        object.ports.some((port) => port.name === name && (protocol === undefined || port.protocol === protocol)),
    );
  }

  slicesOf({ namespace, name }: ServiceReference): readonly ServiceSlice[] {
    return this.#slices.get(`${namespace}/${name}`) ?? [];
  }

  /** `<namespace>/<name>` of every service with an EndpointSlice. */
  serviceNames(): Iterable<string> {
    return this.#slices.keys();
  }

  /** Effective labels of everything there is. */
  vocabulary(): LabelVocabulary {
    this.#vocabulary ??= countLabels(this.members.values());
    return this.#vocabulary;
  }

  #index(): Map<string, Member> {
    const { profiles, workloadEndpoints, hostEndpoints, networkSets } = this.world;
    const objects = new Map<string, LabelledObject>();
    for (const all of [workloadEndpoints, hostEndpoints, networkSets]) {
      for (const object of (all as ReadonlyMap<string, LabelledObject>).values()) objects.set(itemKey(object), object);
    }
    const members = new Map<string, Member>();
    const labels = new LabelIndex((item, effective = new Map()) => {
      members.set(item.key, { key: item.key, object: objects.get(item.key) as LabelledObject, labels: effective });
      this.#selectors.setItem(item, effective);
    });
    for (const profile of profiles.values()) labels.setProfile(profile.name, profile.labels);
    for (const [key, object] of objects) labels.setItem(toItem(key, object));
    return members;
  }
}

/** The key that members have. */
export function itemKey(object: LabelledObject): string {
  return `${object.type}:${object.key}`;
}

function toItem(key: string, object: LabelledObject): LabelledItem {
  const { labels, profiles } = object;
  const prefixes = object.type === 'networkSet' ? object.nets : object.addresses.map(hostCidr);
  return { key, labels, profiles, prefixes, ports: object.type === 'networkSet' ? [] : object.ports };
}

function countLabels(members: Iterable<Member>): LabelVocabulary {
  const vocabulary = new Map<string, Map<string, number>>();
  for (const { labels } of members) {
    for (const [label, value] of labels) {
      const values = vocabulary.get(label) ?? new Map<string, number>();
      vocabulary.set(label, values.set(value, (values.get(value) ?? 0) + 1));
    }
  }
  return vocabulary;
}

// Words for groups of endpoints: a selector, a namespace, a prefix of names or a list, whichever says exactly who is
// meant in the fewest words.
import { NAMESPACE_PREFIX } from '../../model/selector/scope.ts';
import { listShortly, type Part, plural } from './part.ts';
import type { OwnedBy, People, Person } from './people.ts';

/** Labels that people think in come first. */
const TELLING = ['app', 'app.kubernetes.io/name', 'k8s-app', 'name', 'role', 'tier', 'component'];
/** As many exceptions are named one by one. */
const MAX_EXCEPTIONS = 2;
/** So many values of a label are listed. */
const MAX_VALUES = 4;
/** So many are named one by one rather than by what they are not. */
const MAX_NAMED = 3;

export class EndpointNames {
  readonly #people: Pick<People, 'kept' | 'noun'>;
  readonly #kept: readonly Person[];
  readonly #byNamespace = new Map<string, Person[]>();
  /** How many have a label, in all and by namespace. */
  readonly #labelCounts = new Map<string, number>();

  constructor(people: Pick<People, 'kept' | 'noun'>) {
    this.#people = people;
    this.#kept = people.kept;
    for (const person of this.#kept) {
      const inNamespace = this.#byNamespace.get(person.namespace);
      if (inNamespace === undefined) this.#byNamespace.set(person.namespace, [person]);
      else inNamespace.push(person);
      for (const label of person.labels) {
        for (const key of [label, `${person.namespace} ${label}`]) {
          this.#labelCounts.set(key, (this.#labelCounts.get(key) ?? 0) + 1);
        }
      }
    }
  }

  /** Exactly these addresses, in words. */
  describe(owned: readonly OwnedBy[]): Part[] {
    const counts = new Map<Person, OwnedBy[]>();
    for (const one of owned) {
      const known = counts.get(one.person);
      if (known === undefined) counts.set(one.person, [one]);
      else known.push(one);
    }
    const whole: Person[] = [];
    const others: Part[] = [];
    for (const [person, addresses] of counts) {
      if (person.presence === 'kept' && addresses.length === person.addressCount) whole.push(person);
      else others.push(...addresses.map(describeAddress));
    }
    return [...this.#describeKept(whole), ...others];
  }

  #describeKept(people: readonly Person[]): Part[] {
    if (people.length === 0) return [];
    const missing = this.#kept.length - people.length;
    if (missing === 0 && people.length > 1) return [{ text: `all ${this.#count(people.length)}` }];
    if (missing > 0 && missing * 4 < people.length) {
      const present = new Set(people);
      const left = this.#parts(this.#kept.filter((person) => !present.has(person)));
      if (left.length <= MAX_EXCEPTIONS) return [this.#allBut(left)];
    }
    return this.#parts(people);
  }

  #allBut(left: readonly Part[]): Part {
    const text = `all ${this.#people.noun}s but ${left.map((part) => part.text).join(' and ')}`;
    const [only] = left;
    if (left.length !== 1 || only?.template === undefined) return { text };
    return { text, template: `all ${this.#people.noun}s but ${only.template}`, namespace: only.namespace };
  }

  #parts(people: readonly Person[]): Part[] {
    const byNamespace = groupByNamespace(people);
    const label = byNamespace.size > 1 ? this.#exactLabel(people, '') : undefined;
    if (label !== undefined) return [{ text: `${this.#labelled(label)} (${people.length})` }];
    const wholeNamespaces: [string, Person[]][] = [];
    const parts: Part[] = [];
    for (const [namespace, members] of byNamespace) {
      const total = this.#byNamespace.get(namespace)?.length ?? 0;
      if (members.length === total && total > 1) wholeNamespaces.push([namespace, members]);
      else parts.push(this.#inNamespace(namespace, members));
    }
    return [...this.#whole(wholeNamespaces), ...parts];
  }

  #whole(namespaces: readonly [string, Person[]][]): Part[] {
    const [first] = namespaces;
    if (first === undefined) return [];
    if (namespaces.length > 1) {
      const total = namespaces.reduce((sum, [, members]) => sum + members.length, 0);
      const names = listShortly(namespaces.map(([namespace]) => namespace));
      return [{ text: `all ${this.#count(total)} of the namespaces ${names}` }];
    }
    const [namespace, members] = first;
    return [
      {
        text: `all ${this.#count(members.length)} of namespace ${namespace}`,
        template: `all ${this.#people.noun}s of {namespace}`,
        namespace,
      },
    ];
  }

  #inNamespace(namespace: string, members: readonly Person[]): Part {
    const label = this.#exactLabel(members, `${namespace} `) ?? this.#exactValues(members, `${namespace} `);
    const template = label === undefined ? undefined : `${this.#labelled(label)} in {namespace}`;
    const isNamed = members.length === 1 || (members.length <= MAX_NAMED && label?.includes(' in ') !== false);
    if (isNamed) return { text: namesOf(members).join(', '), template, namespace };
    if (label !== undefined) {
      return { text: `${this.#labelled(label)} in namespace ${namespace} (${members.length})`, template, namespace };
    }
    const everyone = this.#byNamespace.get(namespace) ?? [];
    const present = new Set(members);
    const missing = everyone.filter((person) => !present.has(person));
    if (missing.length <= MAX_EXCEPTIONS && missing.length * 2 < everyone.length) {
      const names = missing.map(({ name }) => name).join(' and ');
      return { text: `all ${this.#people.noun}s of namespace ${namespace} but ${names} (${members.length})` };
    }
    const prefix = commonPrefix(members, everyone);
    if (prefix !== undefined) return { text: `${prefix}* (${this.#count(members.length)})` };
    return { text: listShortly(namesOf(members)) };
  }

  /** A label that these have and nobody else, in the namespace (`<namespace> `) or anywhere (empty). */
  #exactLabel(people: readonly Person[], scope: string): string | undefined {
    let common = people[0]?.labels ?? [];
    for (const { labels } of people) {
      common = common.filter((label) => labels.includes(label));
      if (common.length === 0) return undefined;
    }
    const exact = common.filter((label) => this.#labelCounts.get(scope + label) === people.length);
    const usable = scope === '' ? exact : exact.filter((label) => !label.startsWith(NAMESPACE_PREFIX));
    return usable.sort((a, b) => rankOf(a) - rankOf(b))[0];
  }

  /** `app in (api, web)`: a label of which these have some values, and nobody else has those. */
  #exactValues(people: readonly Person[], scope: string): string | undefined {
    const keys = (people[0]?.labels ?? []).map(keyOf).filter((key) => !key.startsWith(NAMESPACE_PREFIX));
    for (const key of keys.sort((a, b) => rankOf(`${a}=`) - rankOf(`${b}=`))) {
      const own = people.map(({ labels }) => labels.find((label) => keyOf(label) === key));
      const values = [...new Set(own)];
      if (values.length > MAX_VALUES || values.includes(undefined)) continue;
      const count = values.reduce((sum, label) => sum + (this.#labelCounts.get(scope + label) ?? 0), 0);
      if (count === people.length) {
        const texts = values.map((label) => (label as string).slice(key.length + 1));
        return `${key} in (${texts.sort().join(', ')})`;
      }
    }
    return undefined;
  }

  #labelled(label: string): string {
    return label.startsWith(NAMESPACE_PREFIX)
      ? `${this.#people.noun}s of namespaces with ${label.slice(NAMESPACE_PREFIX.length)}`
      : `${this.#people.noun}s ${label}`;
  }

  #count(number: number): string {
    return plural(number, this.#people.noun);
  }
}

function describeAddress({ person: { name, presence, addressCount }, address }: OwnedBy): Part {
  switch (presence) {
    case 'kept':
      return { text: `${name} at ${address}` };
    case 'appears':
      return { text: addressCount === 1 ? `new ${name}` : `new ${name} at ${address}` };
    case 'vanishes':
      return { text: addressCount === 1 ? `vanished ${name}` : `vanished ${name} at ${address}` };
    case 'passed':
      return { text: `${name} at ${address}, another's before` };
  }
}

function namesOf(people: readonly Person[]): string[] {
  return people.map(({ name }) => name).sort();
}

function groupByNamespace(people: readonly Person[]): Map<string, Person[]> {
  const byNamespace = new Map<string, Person[]>();
  for (const person of people) {
    const known = byNamespace.get(person.namespace);
    if (known === undefined) byNamespace.set(person.namespace, [person]);
    else known.push(person);
  }
  return new Map([...byNamespace].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** `shop/frontend-`, when everyone whose name begins so is meant. */
function commonPrefix(members: readonly Person[], everyone: readonly Person[]): string | undefined {
  let prefix = members[0]?.name ?? '';
  for (const { name } of members) while (!name.startsWith(prefix)) prefix = prefix.slice(0, -1);
  prefix = prefix.slice(0, prefix.lastIndexOf('-') + 1);
  if (prefix === '') return undefined;
  return everyone.filter(({ name }) => name.startsWith(prefix)).length === members.length ? prefix : undefined;
}

function keyOf(label: string): string {
  return label.slice(0, label.indexOf('='));
}

function rankOf(label: string): number {
  const rank = TELLING.indexOf(keyOf(label));
  return rank === -1 ? TELLING.length : rank;
}

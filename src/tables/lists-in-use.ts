// The policy lists that local endpoints have, prepared once each, with what they ask of the partitions and which sets
// concern them. Follows the desired state: what is new is prepared, what is gone is given up.
import type { DesiredState, PolicyList, PortSet, SetId } from '../calc/resolved.ts';
import { HOST_SCOPES } from '../model/policy.ts';
import type { AddressClass } from './address-class.ts';
import type { AddressChanges } from './address-classes.ts';
import { FewMap } from './few-map.ts';
import { hostListKey } from './host-list-key.ts';
import type { IntervalSet } from './interval-sets.ts';
import { ListCompiler } from './list-compiler.ts';
import { type ListPrograms, l4SetsOf, prepareList, sourcePortSetsOf, widestProgram } from './list-program.ts';
import type { RegionStore } from './region-store.ts';
import { SetCounts } from './set-counts.ts';
import type { Stories } from './stories.ts';

export interface ListInUse {
  readonly programs: ListPrograms;
  compiler: ListCompiler;
  /** Nothing of it is compiled yet. */
  isNew: boolean;
}

interface Entry extends ListInUse {
  l4Sets: readonly IntervalSet[];
  sourcePortSets: readonly IntervalSet[];
  /** Of its port sets, as text. */
  points: string;
  /** Found by its sets. */
  isIndexed: boolean;
  /** The last round that it is part of. */
  round: number;
}

/** Classes that come and go, of those that a list's sets contain. */
export interface ListChanges {
  readonly added: AddressClass[];
  readonly removed: AddressClass[];
}

/** One endpoint's lists, or those of one scope of a host endpoint. */
export interface EndpointLists {
  /** Of a host endpoint as hostListKey makes it. */
  readonly key: string;
  readonly egress: ListInUse;
  readonly ingress: ListInUse;
}

export class ListsInUse {
  readonly l4Sets = new SetCounts();
  readonly sourcePortSets = new SetCounts();
  readonly #heap: RegionStore;
  readonly #stories: Stories;
  readonly #entries = new Map<PolicyList, Entry>();
  readonly #bySet = new FewMap<SetId, Entry>();
  #round = 0;
  #ruleCount = 0;

  constructor(heap: RegionStore, stories: Stories) {
    this.#heap = heap;
    this.#stories = stories;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Rules of all lists, each list's own. */
  get ruleCount(): number {
    return this.#ruleCount;
  }

  all(): Iterable<ListInUse> {
    return this.#entries.values();
  }

  /** Brings the lists to the desired state and returns which ones each endpoint has. */
  follow(desired: DesiredState): EndpointLists[] {
    this.#round += 1;
    const pointsOf = rememberPoints();
    const endpoints: EndpointLists[] = [];
    for (const [key, { egress, ingress }] of desired.endpoints) {
      endpoints.push({ key, egress: this.#use(egress, pointsOf), ingress: this.#use(ingress, pointsOf) });
    }
    for (const [key, { scopes }] of desired.hostEndpoints) {
      for (const scope of HOST_SCOPES) {
        const pair = scopes[scope];
        if (pair === undefined) continue;
        const { egress, ingress } = pair;
        const at = hostListKey(key, scope);
        endpoints.push({ key: at, egress: this.#use(egress, pointsOf), ingress: this.#use(ingress, pointsOf) });
      }
    }
    for (const [list, entry] of this.#entries) {
      if (entry.round === this.#round) continue;
      this.#entries.delete(list);
      this.#giveUp(entry);
    }
    return endpoints;
  }

  /** By list, the changes that concern it. New lists are left out: they start from what there is. */
  concernedBy({ added, removed }: Pick<AddressChanges, 'added' | 'removed'>): Map<ListInUse, ListChanges> {
    const concerned = new Map<ListInUse, ListChanges>();
    if (added.length + removed.length === 0) return concerned;
    for (const entry of this.#entries.values()) if (!entry.isNew) this.#index(entry);
    const note = (changed: AddressClass, kind: keyof ListChanges): void => {
      for (const set of changed.sets) {
        for (const entry of this.#bySet.get(set)) {
          let changes = concerned.get(entry);
          if (changes === undefined) {
            changes = { added: [], removed: [] };
            concerned.set(entry, changes);
          }
          // Several of its sets may contain the class.
          if (changes[kind].at(-1) !== changed) changes[kind].push(changed);
        }
      }
    };
    for (const each of removed) note(each, 'removed');
    for (const each of added) note(each, 'added');
    return concerned;
  }

  /** Forgets all lists. What they have in the heap must be given up there as well. */
  clear(): void {
    for (const { compiler } of this.#entries.values()) compiler.release();
    this.#entries.clear();
    this.#bySet.clear();
    this.#ruleCount = 0;
    this.l4Sets.clear();
    this.sourcePortSets.clear();
  }

  /** The prepared list. Its rows outlive other lists' changes, but not those of its own port holders. */
  #use(list: PolicyList, pointsOf: (portSets: readonly PortSet[]) => string): Entry {
    let entry = this.#entries.get(list);
    if (entry?.round === this.#round) return entry;
    const programs = entry?.programs ?? prepareList(list);
    const points = pointsOf(widestProgram(programs).portSets);
    if (entry === undefined || entry.points !== points) {
      const before = entry;
      entry = this.#prepare(programs, points);
      this.#entries.set(list, entry);
      if (before !== undefined) this.#giveUp(before);
    }
    entry.round = this.#round;
    return entry;
  }

  #prepare(programs: ListPrograms, points: string): Entry {
    const widest = widestProgram(programs);
    const entry: Entry = {
      programs,
      compiler: new ListCompiler(programs, this.#heap, this.#stories),
      isNew: true,
      l4Sets: l4SetsOf(widest),
      sourcePortSets: sourcePortSetsOf(widest),
      points,
      isIndexed: false,
      round: 0,
    };
    this.#ruleCount += widest.ruleCount;
    this.l4Sets.add(entry.l4Sets);
    this.sourcePortSets.add(entry.sourcePortSets);
    return entry;
  }

  /** Not before it is asked for: most lists go again before any class comes or goes. */
  #index(entry: Entry): void {
    if (entry.isIndexed) return;
    entry.isIndexed = true;
    for (const set of setsOf(entry)) this.#bySet.add(set, entry);
  }

  #giveUp(entry: Entry): void {
    this.#ruleCount -= widestProgram(entry.programs).ruleCount;
    this.l4Sets.remove(entry.l4Sets);
    this.sourcePortSets.remove(entry.sourcePortSets);
    if (entry.isIndexed) for (const set of setsOf(entry)) this.#bySet.remove(set, entry);
    entry.compiler.release();
  }
}

function setsOf({ compiler }: ListInUse): Iterable<SetId> {
  return compiler.localSets.size === 0 ? compiler.peerSets : new Set([...compiler.peerSets, ...compiler.localSets]);
}

/** The points of port sets as text, each set looked at once. */
function rememberPoints(): (portSets: readonly PortSet[]) => string {
  const known = new Map<PortSet, string>();
  return (portSets) => {
    if (portSets.length === 0) return '';
    const texts = portSets.map((portSet) => {
      let text = known.get(portSet);
      if (text === undefined) {
        text = `${portSet.id}=${[...portSet.points].join()}`;
        known.set(portSet, text);
      }
      return text;
    });
    return texts.join(';');
  };
}

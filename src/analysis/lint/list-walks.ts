// Every policy list with all the ways a packet can look to it: each combination of what the endpoint's own address is in,
// what the peer's is in, and the class of the source port. Walking all of them is what makes lint exact.
import type { DesiredState, PolicyList, ResolvedEndpoint, SetId } from '../../calc/resolved.ts';
import type { Family } from '../../model/address.ts';
import { type ListProgram, type ListPrograms, referencedSets } from '../../tables/list-program.ts';
import type { Partition } from '../../tables/number-classes.ts';
import type { RowKey } from '../../tables/rule-hits.ts';
import { inhabitedClasses } from '../inhabited.ts';
import { classifyJointly, type JointClassification } from '../joint-classes.ts';
import { PeerRows } from '../peer-rows.ts';

/** A list that some endpoint with an address has. */
export interface GoverningList {
  readonly list: PolicyList;
  readonly programs: ListPrograms;
  readonly endpoints: readonly ResolvedEndpoint[];
  /** Of its endpoints' addresses. */
  readonly families: ReadonlySet<Family>;
}

export class ListWalks {
  readonly joint: JointClassification;
  readonly lists: readonly GoverningList[];
  readonly #rows: PeerRows;
  readonly #ownSets: ReadonlyMap<PolicyList, readonly OwnSets[]>;

  constructor(desired: DesiredState) {
    this.joint = classifyJointly([desired]);
    const inhabited = inhabitedClasses(this.joint);
    this.#rows = new PeerRows(
      this.joint.classes.filter(({ id }) => inhabited.has(id)),
      0,
    );
    const { lists, ownSets } = collectLists(desired, this.joint);
    this.lists = lists;
    this.#ownSets = ownSets;
  }

  get l4(): Partition {
    return this.joint.l4;
  }

  /** One key for each way a packet can look to the program, which is one of the list's. */
  *keys({ list }: GoverningList, program: ListProgram): Iterable<RowKey> {
    const rows = this.#rows.rowsOf(referencedSets(program, 'peer'));
    const sourcePorts = program.hasSourcePorts ? [...this.joint.sourcePorts.examples.values()] : [undefined];
    for (const { family, sets: local } of this.#localKeys(list, program)) {
      for (const row of rows) {
        if (row.family !== family) continue;
        for (const sourcePort of sourcePorts) yield { family, sets: { local, peer: row.sets }, sourcePort };
      }
    }
  }

  /** The keys of packets between the list's endpoints and addresses that no prefix covers. */
  *outsideKeys({ list }: GoverningList, program: ListProgram): Iterable<RowKey> {
    for (const { family, sets: local } of this.#localKeys(list, program)) {
      const peer = this.joint.outside[family].sets[0] as ReadonlySet<SetId>;
      yield { family, sets: { local, peer }, sourcePort: program.hasSourcePorts ? 0 : undefined };
    }
  }

  #localKeys(list: PolicyList, program: ListProgram): Iterable<OwnSets> {
    const mentioned = referencedSets(program, 'local');
    const keys = new Map<string, OwnSets>();
    for (const { family, sets } of this.#ownSets.get(list) ?? []) {
      const seen = [...mentioned].filter((set) => sets.has(set));
      keys.set(`${family}:${seen.join()}`, { family, sets: new Set(seen) });
    }
    return keys.values();
  }
}

/** What an endpoint's own address is in. */
interface OwnSets {
  readonly family: Family;
  readonly sets: ReadonlySet<SetId>;
}

function collectLists(
  { endpoints }: DesiredState,
  joint: JointClassification,
): { lists: GoverningList[]; ownSets: Map<PolicyList, OwnSets[]> } {
  const users = new Map<PolicyList, ResolvedEndpoint[]>();
  const own = new Map<PolicyList, Map<number, OwnSets>>();
  for (const resolved of endpoints.values()) {
    const classes = resolved.endpoint.addresses.map((address) => joint.classOf(address));
    if (classes.length === 0) continue;
    for (const list of [resolved.ingress, resolved.egress]) {
      users.set(list, append(users.get(list), resolved));
      const known = own.get(list) ?? new Map<number, OwnSets>();
      own.set(list, known);
      for (const { id, family, sets } of classes) known.set(id, { family, sets: sets[0] as ReadonlySet<SetId> });
    }
  }
  const ownSets = new Map([...own].map(([list, sets]) => [list, [...sets.values()]]));
  const lists = [...users].map(([list, ofList]) => ({
    list,
    programs: joint.programs[0]?.get(list) as ListPrograms,
    endpoints: ofList,
    families: new Set(ownSets.get(list)?.map(({ family }) => family)),
  }));
  return { lists, ownSets };
}

function append<T>(items: T[] | undefined, item: T): T[] {
  if (items === undefined) return [item];
  items.push(item);
  return items;
}

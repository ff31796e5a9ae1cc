// Which policy lists of two states say the same: lists are told apart by their rules and by the members of the sets
// that the rules speak of, not by the numbers that those sets happen to have, nor by names or places.
import type {
  PolicyList,
  PortSet,
  ResolvedPorts,
  ResolvedRule,
  ResolvedRules,
  ResolvedSide,
  SetId,
} from '../../calc/resolved.ts';
import type { Direction } from '../../model/policy.ts';
import type { ListProgram } from '../../tables/list-program.ts';
import type { JointClassification } from '../joint-classes.ts';

/** Id of a list that allows everything: what an address without an endpoint has. */
export const NO_POLICY = -1;

/** One of the equal lists, with the state whose set ids its program is written in. */
export interface CatalogList {
  readonly program: ListProgram;
  readonly state: number;
}

export class ListCatalog {
  readonly #joint: JointClassification;
  readonly #setContents: readonly ReadonlyMap<SetId, number>[];
  readonly #ruleIds: readonly Record<Direction, Map<ResolvedRules, string>>[];
  readonly #ids: readonly Map<PolicyList, number>[];
  readonly #ruleTexts = new Interner();
  readonly #listTexts = new Interner();
  readonly #lists: CatalogList[] = [];

  constructor(joint: JointClassification) {
    this.#joint = joint;
    this.#setContents = nameSetContents(joint);
    this.#ids = joint.programs.map(() => new Map());
    this.#ruleIds = joint.programs.map(() => ({ ingress: new Map(), egress: new Map() }));
  }

  /** Equal numbers for lists that judge every packet alike because they are written alike. */
  idOf(state: number, list: PolicyList): number {
    const known = this.#ids[state]?.get(list);
    if (known !== undefined) return known;
    const id = this.#listTexts.idOf(this.#listText(state, list));
    this.#ids[state]?.set(list, id);
    if (id === this.#lists.length) {
      const programs = this.#joint.programs[state]?.get(list);
      if (programs === undefined) throw new Error('a list of another state');
      this.#lists.push({ program: programs.enforced, state });
    }
    return id;
  }

  /** The list of an id other than NO_POLICY. */
  listOf(id: number): CatalogList {
    return this.#lists[id] as CatalogList;
  }

  /** Tier boundaries matter, and so do tiers of policies without rules: they end in the default action. */
  #listText(state: number, { direction, tiers, profiles }: PolicyList): string {
    const parts: string[] = [direction];
    for (const { tier, policies } of tiers) {
      const enforced = policies.filter(({ policy }) => !policy.staged);
      if (enforced.length === 0) continue;
      parts.push(tier.defaultAction, ...enforced.map(({ rules }) => this.#rulesId(state, direction, rules)));
    }
    parts.push('profiles');
    for (const { profile, rules } of profiles) {
      parts.push(profile === undefined ? 'missing' : this.#rulesId(state, direction, rules));
    }
    return parts.join();
  }

  #rulesId(state: number, direction: Direction, rules: ResolvedRules): string {
    const known = this.#ruleIds[state]?.[direction].get(rules);
    if (known !== undefined) return known;
    const deciding = rules[direction].filter(({ action }) => action !== 'log');
    const text = deciding.map((rule) => String(this.#ruleTexts.idOf(this.#ruleText(state, rule)))).join();
    this.#ruleIds[state]?.[direction].set(rules, text);
    return text;
  }

  #ruleText(state: number, rule: ResolvedRule): string {
    const { action, matchesV4, matchesV6, protocol, notProtocol, icmp, notIcmp, source, destination } = rule;
    return JSON.stringify([
      action,
      matchesV4,
      matchesV6,
      protocol ?? null,
      notProtocol ?? null,
      icmp ?? null,
      notIcmp ?? null,
      this.#side(state, source),
      this.#side(state, destination),
    ]);
  }

  #side(state: number, { within, without, ports, notPorts, backends }: ResolvedSide): unknown {
    const contentOf = (set: SetId): number => this.#contentOf(state, set);
    return [
      within.map(contentOf),
      without.map(contentOf),
      ports === undefined ? null : this.#ports(state, ports),
      notPorts === undefined ? null : this.#ports(state, notPorts),
      backends === undefined ? null : this.#points(state, backends),
    ];
  }

  #ports(state: number, { ranges, named }: ResolvedPorts): unknown {
    return [ranges.map(({ first, last }) => [first, last]), named.map((portSet) => this.#points(state, portSet))];
  }

  #points(state: number, { points }: PortSet): unknown {
    const sorted = [...points].sort(([a], [b]) => a - b);
    return sorted.map(([point, set]) => [point, this.#contentOf(state, set)]);
  }

  /** Sets without a member in any class are all the same empty set. */
  #contentOf(state: number, set: SetId): number {
    return this.#setContents[state]?.get(set) ?? -1;
  }
}

/** For each state and set a number that stands for its members: the classes inside it. */
function nameSetContents(joint: JointClassification): Map<SetId, number>[] {
  const contents = new Interner();
  return joint.programs.map((_, state) => {
    const members = new Map<SetId, number[]>();
    for (const { id, sets } of joint.classes) {
      for (const set of sets[state] ?? []) {
        const known = members.get(set);
        if (known === undefined) members.set(set, [id]);
        else known.push(id);
      }
    }
    return new Map([...members].map(([set, classes]) => [set, contents.idOf(classes.join())]));
  });
}

class Interner {
  readonly #ids = new Map<string, number>();

  idOf(text: string): number {
    const known = this.#ids.get(text);
    if (known !== undefined) return known;
    const id = this.#ids.size;
    this.#ids.set(text, id);
    return id;
  }
}

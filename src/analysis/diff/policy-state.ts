// One of the two states that are compared: the world that a source describes, and what follows for every endpoint.
// Where worlds come from is the business of src/agent.
import type {
  DesiredState,
  PolicyList,
  PortSet,
  ResolvedEndpoint,
  ResolvedPorts,
  ResolvedRule,
  ResolvedRules,
  ResolvedSide,
} from '../../calc/resolved.ts';
import type { World } from '../../model/world.ts';

export interface PolicyState {
  readonly world: World;
  /** Of every node's endpoints; must not change any more (freezeState). */
  readonly desired: DesiredState;
  /** Of host endpoints, by name (hostPoliciesOf): none of them is in `desired`. Absent where nobody asks. */
  readonly hostPolicies?: readonly string[];
}

/**
 * A copy of a live view that stays as it is when the graph goes on. Shares everything that never changes. Without host
 * endpoints: which of their lists a packet meets depends on a machine's interfaces, which no state knows.
 */
export function freezeState({ endpoints, prefixes }: DesiredState): DesiredState {
  const freezer = new Freezer();
  const frozen = new Map<string, ResolvedEndpoint>();
  for (const [key, { endpoint, ingress, egress }] of endpoints) {
    frozen.set(key, { endpoint, ingress: freezer.list(ingress), egress: freezer.list(egress) });
  }
  const copies = [...prefixes].map(([key, { cidr, sets }]) => [key, { cidr, sets: new Map(sets) }] as const);
  return { endpoints: frozen, hostEndpoints: new Map(), hostSettings: new Map(), prefixes: new Map(copies) };
}

/** Port sets are the only live part of a list: lists without any are shared, the others copied once. */
class Freezer {
  readonly #lists = new Map<PolicyList, PolicyList>();
  readonly #rules = new Map<ResolvedRules, ResolvedRules>();
  readonly #portSets = new Map<PortSet, PortSet>();

  list(list: PolicyList): PolicyList {
    const known = this.#lists.get(list);
    if (known !== undefined) return known;
    const held = [...list.tiers.flatMap(({ policies }) => policies), ...list.profiles];
    const isLive = held.some(({ rules }) => this.#frozenRules(rules) !== rules);
    const frozen: PolicyList = isLive
      ? {
          direction: list.direction,
          tiers: list.tiers.map(({ tier, policies }) => ({
            tier,
            policies: policies.map(({ policy, rules }) => ({ policy, rules: this.#frozenRules(rules) })),
          })),
          profiles: list.profiles.map((profile) => ({ ...profile, rules: this.#frozenRules(profile.rules) })),
        }
      : list;
    this.#lists.set(list, frozen);
    return frozen;
  }

  #frozenRules(rules: ResolvedRules): ResolvedRules {
    const known = this.#rules.get(rules);
    if (known !== undefined) return known;
    const all = [...rules.ingress, ...rules.egress];
    const isLive = all.some(({ source, destination }) => hasPortSets(source) || hasPortSets(destination));
    const frozen = isLive
      ? {
          version: rules.version,
          ingress: rules.ingress.map((rule) => this.#rule(rule)),
          egress: rules.egress.map((rule) => this.#rule(rule)),
        }
      : rules;
    this.#rules.set(rules, frozen);
    return frozen;
  }

  #rule(rule: ResolvedRule): ResolvedRule {
    return { ...rule, source: this.#side(rule.source), destination: this.#side(rule.destination) };
  }

  #side(side: ResolvedSide): ResolvedSide {
    const { ports, notPorts, backends } = side;
    return {
      ...side,
      ports: ports && this.#ports(ports),
      notPorts: notPorts && this.#ports(notPorts),
      backends: backends && this.#portSet(backends),
    };
  }

  #ports({ ranges, named }: ResolvedPorts): ResolvedPorts {
    return { ranges, named: named.map((portSet) => this.#portSet(portSet)) };
  }

  #portSet(portSet: PortSet): PortSet {
    const known = this.#portSets.get(portSet);
    if (known !== undefined) return known;
    const frozen: PortSet = { id: portSet.id, points: new Map(portSet.points) };
    this.#portSets.set(portSet, frozen);
    return frozen;
  }
}

function hasPortSets({ ports, notPorts, backends }: ResolvedSide): boolean {
  return backends !== undefined || (ports?.named.length ?? 0) > 0 || (notPorts?.named.length ?? 0) > 0;
}

// What a DesiredState says, without the numbers that history gave to its sets: equal contents are equal policy.
import type {
  DesiredState,
  PolicyList,
  PortSet,
  ResolvedHostEndpoint,
  ResolvedPorts,
  ResolvedRule,
  ResolvedSide,
  SetId,
} from '../../../src/calc/resolved.ts';
import { formatCidr } from '../../../src/model/address.ts';
import { HOST_SCOPES } from '../../../src/model/policy.ts';

/** Plain data for isEqual. Sets that nothing refers to show in the prefixes that still list them. */
export function contentOf(desired: DesiredState): unknown {
  const contents = new Contents(desired);
  const byKey = [...desired.endpoints].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    endpoints: byKey.map(([key, { endpoint, ingress, egress }]) => ({
      key,
      endpoint,
      ingress: contents.list(ingress),
      egress: contents.list(egress),
    })),
    hostEndpoints: [...desired.hostEndpoints]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { endpoint, scopes }]) => ({ key, endpoint, scopes: contents.scopes(scopes) })),
    hostSettings: [...desired.hostSettings].sort(([a], [b]) => (a < b ? -1 : 1)),
    prefixes: contents.prefixes(),
  };
}

class Contents {
  readonly #desired: DesiredState;
  /** Prefixes of each set, with the number of reasons that each is there for. */
  readonly #members = new Map<SetId, string>();

  constructor(desired: DesiredState) {
    this.#desired = desired;
    const members = new Map<SetId, string[]>();
    for (const { cidr, sets } of desired.prefixes.values()) {
      for (const [set, reasons] of sets) {
        const known = members.get(set) ?? [];
        known.push(`${formatCidr(cidr)} for ${reasons}`);
        members.set(set, known);
      }
    }
    for (const [set, texts] of members) this.#members.set(set, texts.sort().join(', '));
  }

  prefixes(): string[] {
    const texts = [...this.#desired.prefixes.values()].map(({ cidr, sets }) => {
      const contents = [...sets.keys()].map((set) => this.#members.get(set));
      return `${formatCidr(cidr)} in ${contents.sort().join(' | ')}`;
    });
    return texts.sort();
  }

  scopes(scopes: ResolvedHostEndpoint['scopes']): unknown {
    return HOST_SCOPES.map((scope) => {
      const pair = scopes[scope];
      return pair === undefined ? undefined : { ingress: this.list(pair.ingress), egress: this.list(pair.egress) };
    });
  }

  list({ direction, scope, failsafes, tiers, profiles }: PolicyList): unknown {
    return {
      direction,
      scope,
      failsafes: failsafes && {
        rules: this.#rules(failsafes.rules[direction]),
        origins: failsafes.origins[direction],
      },
      tiers: tiers.map(({ tier, policies }) => ({
        // Its order and existence say where it stands in the list, and nothing else.
        tier: { name: tier.name, defaultAction: tier.defaultAction },
        policies: policies.map(({ policy, rules }) => ({ policy, rules: this.#rules(rules[direction]) })),
      })),
      profiles: profiles.map(({ name, profile, rules }) => ({ name, profile, rules: this.#rules(rules[direction]) })),
    };
  }

  #rules(rules: readonly ResolvedRule[]): unknown[] {
    return rules.map((rule) => ({
      ...rule,
      source: this.#side(rule.source),
      destination: this.#side(rule.destination),
    }));
  }

  #side({ within, without, ports, notPorts, backends }: ResolvedSide): unknown {
    return {
      within: within.map((set) => this.#members.get(set) ?? ''),
      without: without.map((set) => this.#members.get(set) ?? ''),
      ports: this.#ports(ports),
      notPorts: this.#ports(notPorts),
      backends: backends === undefined ? undefined : this.#portSet(backends),
    };
  }

  #ports(ports: ResolvedPorts | undefined): unknown {
    return ports === undefined
      ? undefined
      : { ranges: ports.ranges, named: ports.named.map((set) => this.#portSet(set)) };
  }

  #portSet({ points }: PortSet): string[] {
    return [...points].map(([point, set]) => `${point} at ${this.#members.get(set) ?? ''}`).sort();
  }
}

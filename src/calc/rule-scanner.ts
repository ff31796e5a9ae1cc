// Rules of policies and profiles that some local endpoint uses, resolved to address sets. Sets are acquired with the
// first use and released with the last.
//
//   PolicyResolver --acquire / release-->  RuleScanner  --sets-->  SetRegistry
import type { Family } from '../model/address.ts';
import type { EntityMatch, PortMatch, Rule } from '../model/policy.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS, LimitedCount } from './limits.ts';
import type {
  PortRange,
  PortSet,
  ResolvedPorts,
  ResolvedRule,
  ResolvedRules,
  ResolvedSide,
  SetId,
} from './resolved.ts';
import type { Acquired, SetRegistry } from './set-registry.ts';

export interface RuleLists {
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

export class RuleScanner {
  readonly #registry: SetRegistry;
  readonly #rules: LimitedCount;
  #nextVersion = 1;

  constructor(registry: SetRegistry, limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#registry = registry;
    this.#rules = new LimitedCount('rules', limits);
  }

  /** Resolves both lists under a new version. Throws LIMIT_EXCEEDED. */
  acquire(rules: RuleLists): Acquired<ResolvedRules> {
    const count = rules.ingress.length + rules.egress.length;
    this.#rules.add(count);
    const held: Acquired<unknown>[] = [];
    const value: ResolvedRules = {
      version: this.#nextVersion++,
      ingress: rules.ingress.map((rule, index) => this.#resolveRule(rule, index, held)),
      egress: rules.egress.map((rule, index) => this.#resolveRule(rule, index, held)),
    };
    const release = (): void => {
      this.#rules.subtract(count);
      for (const set of held) set.release();
    };
    return { value, release };
  }

  #resolveRule(rule: Rule, index: number, held: Acquired<unknown>[]): ResolvedRule {
    const { action, protocol, notProtocol, icmp, notIcmp, location } = rule;
    const destination = this.#resolveSide(rule.destination, protocol, held);
    const backends =
      rule.destination.service && this.#hold(held, this.#registry.backendPorts(rule.destination.service));
    return {
      action,
      index,
      matchesV4: matchesFamily(rule, 4),
      matchesV6: matchesFamily(rule, 6),
      protocol,
      notProtocol,
      icmp,
      notIcmp,
      source: this.#resolveSource(rule, held),
      destination: { ...destination, backends },
      location,
    };
  }

  #resolveSource(rule: Rule, held: Acquired<unknown>[]): ResolvedSide {
    const side = this.#resolveSide(rule.source, rule.protocol, held);
    if (rule.source.service === undefined) return side;
    return { ...side, within: [...side.within, this.#hold(held, this.#registry.backends(rule.source.service))] };
  }

  #resolveSide(entity: EntityMatch, protocol: number | undefined, held: Acquired<unknown>[]): ResolvedSide {
    const within: SetId[] = [];
    const without: SetId[] = [];
    if (entity.nets.length > 0) within.push(this.#hold(held, this.#registry.cidrs(entity.nets)));
    if (entity.notNets.length > 0) without.push(this.#hold(held, this.#registry.cidrs(entity.notNets)));
    if (entity.selector !== undefined) within.push(this.#hold(held, this.#registry.selected(entity.selector)));
    if (entity.notSelector !== undefined) without.push(this.#hold(held, this.#registry.selected(entity.notSelector)));
    return {
      within,
      without,
      ports: this.#resolvePorts(entity.ports, entity, protocol, held),
      notPorts: this.#resolvePorts(entity.notPorts, entity, protocol, held),
    };
  }

  #resolvePorts(
    ports: readonly PortMatch[],
    entity: EntityMatch,
    protocol: number | undefined,
    held: Acquired<unknown>[],
  ): ResolvedPorts | undefined {
    if (ports.length === 0) return undefined;
    const ranges: PortRange[] = [];
    const named: PortSet[] = [];
    for (const port of ports) {
      if (port.kind === 'range') ranges.push({ first: port.first, last: port.last });
      else
        named.push(this.#hold(held, this.#registry.namedPort(entity.selector ?? { kind: 'all' }, port.name, protocol)));
    }
    return { ranges, named };
  }

  #hold<T>(held: Acquired<unknown>[], acquired: Acquired<T>): T {
    held.push(acquired);
    return acquired.value;
  }
}

/** A rule with a CIDR list that names only the other family says nothing about this one. */
function matchesFamily(rule: Rule, family: Family): boolean {
  if (rule.ipVersion !== undefined && rule.ipVersion !== family) return false;
  const { source, destination } = rule;
  return [source.nets, source.notNets, destination.nets, destination.notNets].every(
    (nets) => nets.length === 0 || nets.some((net) => net.family === family),
  );
}

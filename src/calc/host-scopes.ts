// The lists of a host endpoint: which policies are in which, and failsafe ports as the rules that stand before them.
import type { Failsafe, NodeSettings } from '../model/host-settings.ts';
import { ANY_ENTITY } from '../model/parse/rules.ts';
import { DIRECTIONS, type Direction, type HostScope, type Policy, type PortMatch, type Rule } from '../model/policy.ts';
import type { FailsafeOrigin, ResolvedFailsafes } from './resolved.ts';
import type { RuleScanner } from './rule-scanner.ts';
import type { Acquired } from './set-registry.ts';

/** Policies for packets before connections or DNAT are in no other list, and apply to no workload. */
export function isForHostsOnly({ doNotTrack, preDnat }: Policy): boolean {
  return doNotTrack || preDnat;
}

export function isInScope(policy: Policy, scope: HostScope): boolean {
  if (policy.doNotTrack) return scope === 'untracked';
  if (policy.preDnat) return scope === 'preDnat';
  return scope === 'normal' || (scope === 'forward' && policy.applyOnForward);
}

/** What the failsafe ports of one node are in each list. */
export type ScopeFailsafes = { readonly [S in HostScope]?: ResolvedFailsafes };

interface Shared {
  readonly value: ScopeFailsafes;
  readonly held: readonly Acquired<unknown>[];
  users: number;
}

/** Failsafe ports resolved to rules; nodes, and endpoints, with the same ports share them. */
export class FailsafeRules {
  readonly #scanner: RuleScanner;
  readonly #shared = new Map<string, Shared>();

  constructor(scanner: RuleScanner) {
    this.#scanner = scanner;
  }

  /** Throws LIMIT_EXCEEDED. */
  acquire({ failsafes }: NodeSettings): Acquired<ScopeFailsafes> {
    const key = JSON.stringify(failsafes);
    const shared = this.#shared.get(key) ?? this.#resolve(failsafes);
    this.#shared.set(key, shared);
    shared.users += 1;
    const release = (): void => {
      shared.users -= 1;
      if (shared.users > 0) return;
      this.#shared.delete(key);
      for (const each of shared.held) each.release();
    };
    return { value: shared.value, release };
  }

  #resolve(failsafes: NodeSettings['failsafes']): Shared {
    const tracked = this.#scanner.acquire(rulesOf(failsafes, false));
    const stateless = this.#scanner.acquire(rulesOf(failsafes, true));
    const ports = { rules: tracked.value, origins: originsOf(failsafes, false) };
    const value = {
      normal: ports,
      preDnat: ports,
      untracked: { rules: stateless.value, origins: originsOf(failsafes, true) },
    };
    return { value, held: [tracked, stateless], users: 0 };
  }
}

type Failsafes = NodeSettings['failsafes'];

/** Of a direction its own ports, and where replies must pass as well those of the other, as ports of the source. */
function rulesOf(failsafes: Failsafes, withReplies: boolean): Record<Direction, Rule[]> {
  const inDirection = (direction: Direction): Rule[] => [
    ...failsafes[direction].map((each) => ruleOf(each, direction, 'destination')),
    ...(withReplies ? failsafes[reverseOf(direction)].map((each) => ruleOf(each, direction, 'source')) : []),
  ];
  return { ingress: inDirection('ingress'), egress: inDirection('egress') };
}

function originsOf(failsafes: Failsafes, withReplies: boolean): Record<Direction, FailsafeOrigin[]> {
  const inDirection = (direction: Direction): FailsafeOrigin[] =>
    [direction, ...(withReplies ? [reverseOf(direction)] : [])].flatMap((ports) =>
      failsafes[ports].map((_, index) => ({ ports, index })),
    );
  return { ingress: inDirection('ingress'), egress: inDirection('egress') };
}

/** The net is that of the other end, whichever end the port is of. */
function ruleOf({ protocol, port, net }: Failsafe, direction: Direction, portOf: 'source' | 'destination'): Rule {
  const match: PortMatch = { kind: 'range', first: port, last: port };
  const peer = direction === 'ingress' ? 'source' : 'destination';
  const side = (of: 'source' | 'destination'): Rule['source'] => ({
    ...ANY_ENTITY,
    nets: of === peer && net !== undefined ? [net] : [],
    ports: of === portOf ? [match] : [],
  });
  const location = { file: '', line: 0 };
  return { action: 'allow', protocol, source: side('source'), destination: side('destination'), location };
}

function reverseOf(direction: Direction): Direction {
  return DIRECTIONS.find((other) => other !== direction) as Direction;
}

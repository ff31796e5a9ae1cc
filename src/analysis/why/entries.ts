// Entries of policy traces, as engines give them and as records have them in text, and the rules that they speak of.
import type { SourceLocation } from '../../model/location.ts';
import type { Direction, Policy, Rule } from '../../model/policy.ts';
import { DEFAULT_RULE_INDEX, policyTraceEntry, type TraceEntry } from '../../model/trace.ts';
import type { World } from '../../model/world.ts';

/** A trace entry of a record: what its text says. */
export interface WrittenEntry {
  readonly tier: string;
  /** `<kind>:[<namespace>/]<name>`. */
  readonly policy: string;
  readonly action: string;
  /** 0-based; -1 = a default. */
  readonly ruleIndex: number;
}

/** Policies by the name that traces give them. */
export class PoliciesByTrace {
  readonly #policies = new Map<string, Policy>();

  constructor(world: World) {
    for (const policy of world.policies.values()) this.#policies.set(traceName(policy), policy);
  }

  /** name = `<kind>:[<namespace>/]<name>`. */
  at(name: string): Policy | undefined {
    return this.#policies.get(name);
  }

  ruleOf(name: string, direction: Direction, ruleIndex: number): Rule | undefined {
    return this.at(name)?.rules[direction][ruleIndex];
  }
}

/** `0|default|np:shop/web|allow|2`, with or without its position in front; undefined = it is none. */
export function parseEntry(text: string): WrittenEntry | undefined {
  const parts = text.split('|');
  const [ruleText = '', action = '', policy = '', tier = ''] = parts.slice(-4).reverse();
  const ruleIndex = Number(ruleText);
  if (parts.length < 4 || parts.length > 5 || ruleText === '' || !Number.isInteger(ruleIndex)) return undefined;
  return policy.includes(':') ? { tier, policy, action, ruleIndex } : undefined;
}

export function writtenEntry({ tier, kind, namespace, name, action, ruleIndex }: TraceEntry): WrittenEntry {
  const scope = namespace === undefined || namespace === '' ? '' : `${namespace}/`;
  return { tier, policy: `${kind}:${scope}${name}`, action, ruleIndex };
}

/** `<kind>:[<namespace>/]<name>`. */
export function traceName(policy: Policy): string {
  return writtenEntry(policyTraceEntry(policy, 'pass', DEFAULT_RULE_INDEX, policy.location)).policy;
}

/** Resource id of the policy: what history knows it by. */
export function resourceIdOf({ kind, namespace, name }: Policy): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

/** What came over the API has no lines that anybody could look up. */
const STORED = 'store: ';

/** undefined = built in. */
export function whereOf(location: SourceLocation | undefined): string | undefined {
  if (location === undefined || location.file === '') return undefined;
  return location.line > 0 && !location.file.startsWith(STORED) ? `${location.file}:${location.line}` : location.file;
}

// Counts what generated worlds and flows have in them: conditions that matched, reasons of verdicts, kinds of policy.
// For the test that generators do not silently shrink.
import type { Flow } from '../../../src/model/flow.ts';
import type { EntityMatch, Policy, Rule } from '../../../src/model/policy.ts';
import { ReferenceEvaluator } from '../../../src/model/reference/evaluator.ts';
import { DEFAULT_RULE_INDEX, PROFILE_TIER, policyTraceEntry, type TraceEntry } from '../../../src/model/trace.ts';
import type { SideVerdict } from '../../../src/model/verdict.ts';
import type { World } from '../../../src/model/world.ts';

export class Census {
  readonly #counts = new Map<string, number>();

  count(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** Judges the flows; each side of each verdict counts once. */
  addFlows(world: World, flows: readonly Flow[]): void {
    const model = new ReferenceEvaluator(world);
    const policies = policiesByEntry(world);
    for (const flow of flows) {
      const { egress, ingress } = model.evaluate(flow);
      if (egress !== null) this.#addSide(egress, 'egress', policies);
      if (ingress !== null) this.#addSide(ingress, 'ingress', policies);
      if (egress === null && ingress === null) this.#add('side none');
    }
  }

  #add(name: string): void {
    this.#counts.set(name, this.count(name) + 1);
  }

  #addSide(side: SideVerdict, direction: 'ingress' | 'egress', policies: ReadonlyMap<string, Policy>): void {
    this.#add('side');
    if (side.isLogged) this.#add('side logged');
    const last = side.trace.at(-1);
    this.#add(`side ${last === undefined ? 'before policy' : `${last.action} by ${reasonOf(last)}`}`);
    if (side.pending !== undefined) {
      this.#add('pending');
      if (side.pending.verdict !== side.verdict) this.#add(`pending ${side.pending.verdict}, now ${side.verdict}`);
    }
    for (const entry of [...side.trace, ...(side.pending?.trace ?? [])]) {
      this.#add(`decided by ${entry.kind}`);
      const rule = policies.get(identityOf(entry))?.rules[direction][entry.ruleIndex];
      for (const condition of rule === undefined ? [] : conditionsOf(rule)) this.#add(`matched ${condition}`);
    }
  }
}

function reasonOf(entry: TraceEntry): string {
  if (entry.tier !== PROFILE_TIER) return entry.ruleIndex === DEFAULT_RULE_INDEX ? 'end of tier' : 'rule';
  return entry.ruleIndex === DEFAULT_RULE_INDEX ? 'no profile' : 'profile';
}

function identityOf({ tier, kind, namespace, name }: TraceEntry): string {
  return `${tier}/${kind}/${namespace ?? ''}/${name}`;
}

function policiesByEntry(world: World): ReadonlyMap<string, Policy> {
  const entryOf = (policy: Policy): TraceEntry => policyTraceEntry(policy, 'pass', 0, policy.location);
  return new Map([...world.policies.values()].map((policy) => [identityOf(entryOf(policy)), policy]));
}

/** The conditions that a rule has. */
function conditionsOf(rule: Rule): string[] {
  const own = (['ipVersion', 'protocol', 'notProtocol', 'icmp', 'notIcmp'] as const).filter(
    (field) => rule[field] !== undefined,
  );
  const code = rule.icmp?.code === undefined ? [] : ['icmp.code'];
  return [
    ...own,
    ...code,
    ...sideConditions('source', rule.source),
    ...sideConditions('destination', rule.destination),
  ];
}

function sideConditions(side: string, entity: EntityMatch): string[] {
  const lists = (['nets', 'notNets', 'ports', 'notPorts'] as const).filter((field) => entity[field].length > 0);
  const others = (['selector', 'notSelector', 'service'] as const).filter((field) => entity[field] !== undefined);
  const named = (['ports', 'notPorts'] as const).filter((field) => entity[field].some(({ kind }) => kind === 'named'));
  return [...lists, ...others, ...named.map((field) => `${field} by name`)].map((name) => `${side}.${name}`);
}

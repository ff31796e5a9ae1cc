// Everything the checks look at, made once: the manifests, the world they stand for, every written rule, and who there
// is. Also the one way to say where something is written.

import type { DataplaneError } from '../../base/errors.ts';
import { CalcGraph } from '../../calc/graph.ts';
import type { DesiredState } from '../../calc/resolved.ts';
import { buildWorld } from '../../model/build-world.ts';
import type { HostInterface } from '../../model/host-interfaces.ts';
import { DIRECTIONS, type Direction, type Policy, type Profile, type Rule } from '../../model/policy.ts';
import { policyTraceEntry, profileTraceEntry, type TraceEntry } from '../../model/trace.ts';
import type { World } from '../../model/world.ts';
import { type FieldPath, formatPath } from '../../resources/field-path.ts';
import type { Resource } from '../../resources/resource.ts';
import { Inventory } from '../inventory.ts';
import { resourceName } from '../object-names.ts';
import { LINT_RULES, type RuleId } from './catalogue.ts';
import type { Finding } from './finding.ts';
import { type RulePlace, rulePlaces } from './rule-places.ts';

/** A policy or profile that somebody wrote. */
export type RuleOwner = { readonly resource: Resource; readonly name: string } & (
  | { readonly kind: 'policy'; readonly object: Policy }
  | { readonly kind: 'profile'; readonly object: Profile }
);

/** One rule of an owner. */
export interface RuleSubject {
  /** As entryKey makes it. */
  readonly key: string;
  readonly owner: RuleOwner;
  readonly direction: Direction;
  readonly index: number;
  readonly rule: Rule;
  readonly place: RulePlace;
}

export interface LintContext {
  readonly resources: readonly Resource[];
  readonly errors: readonly DataplaneError[];
  readonly world: World;
  readonly inventory: Inventory;
  /** Of all nodes together. */
  readonly desired: DesiredState;
  readonly owners: readonly RuleOwner[];
  readonly subjects: ReadonlyMap<string, RuleSubject>;
  /** Some workload or host endpoint is among the manifests. */
  readonly hasEndpoints: boolean;
  /** Policies and profiles in some list of a host endpoint: what holds for their rules on workloads is not all. */
  readonly onHosts: ReadonlySet<Policy | Profile>;
  /** The host whose interfaces are known; undefined = none. */
  readonly machine?: LintMachine;
}

export interface LintMachine {
  /** Host endpoints of this node are the machine's; `*` = all. */
  readonly node: string;
  readonly interfaces: readonly HostInterface[];
}

/** Reads the manifests as the agent would; errors are those that reading them gave. */
export function createContext(
  resources: readonly Resource[],
  errors: readonly DataplaneError[],
  machine?: LintMachine,
): LintContext {
  const { world, errors: worldErrors } = buildWorld(resources);
  const graph = new CalcGraph(() => true);
  for (const objects of Object.values(world)) graph.apply(objects.values(), []);
  const owners = resources.map((resource) => ownerOf(resource, world)).filter((owner) => owner !== undefined);
  const subjects = new Map(owners.flatMap(subjectsOf).map((subject) => [subject.key, subject]));
  const desired = graph.flush();
  return {
    resources,
    errors: [...errors, ...worldErrors],
    world,
    inventory: new Inventory(world),
    desired,
    owners,
    subjects,
    hasEndpoints: world.workloadEndpoints.size + world.hostEndpoints.size > 0,
    onHosts: rulesOnHosts(desired),
    machine,
  };
}

/** Identity of a rule across all lists that have it. */
export function entryKey({ kind, namespace, name, ruleIndex }: TraceEntry, direction: Direction): string {
  return `${kind}:${namespace ?? ''}/${name}|${direction}|${ruleIndex}`;
}

export interface FindingDetails extends Partial<Pick<Finding, 'severity' | 'related' | 'hint' | 'code'>> {
  readonly path?: FieldPath;
}

/** A finding about a resource; severity is the rule's own unless given. */
export function findingAbout(resource: Resource, rule: RuleId, message: string, details: FindingDetails = {}): Finding {
  const { path = [], related = [], severity = LINT_RULES[rule].severity, hint, code } = details;
  return {
    rule,
    severity,
    message,
    object: resourceName(resource),
    field: path.length === 0 ? undefined : formatPath(path),
    location: {
      file: resource.location.file,
      line: path.length === 0 ? resource.location.line : resource.lineOf(path),
    },
    related,
    hint,
    code,
  };
}

function rulesOnHosts({ hostEndpoints }: DesiredState): Set<Policy | Profile> {
  const found = new Set<Policy | Profile>();
  for (const { scopes } of hostEndpoints.values()) {
    for (const { ingress, egress } of Object.values(scopes)) {
      for (const { tiers, profiles } of [ingress, egress]) {
        for (const { policies } of tiers) for (const { policy } of policies) found.add(policy);
        for (const { profile } of profiles) if (profile !== undefined) found.add(profile);
      }
    }
  }
  return found;
}

function ownerOf(resource: Resource, world: World): RuleOwner | undefined {
  const name = resourceName(resource);
  const profile = resource.type === 'Profile' ? world.profiles.get(resource.name) : undefined;
  if (profile?.location === resource.location) return { kind: 'profile', resource, name, object: profile };
  const policy = world.policies.get(resource.id);
  return policy === undefined ? undefined : { kind: 'policy', resource, name, object: policy };
}

function subjectsOf(owner: RuleOwner): RuleSubject[] {
  return DIRECTIONS.flatMap((direction) => {
    const rules = owner.object.rules[direction];
    const places = rulePlaces(owner.resource, direction, rules);
    return rules.map((rule, index) => {
      const key = entryKey(entryOf(owner, index, rule), direction);
      return { key, owner, direction, index, rule, place: places[index] as RulePlace };
    });
  });
}

function entryOf(owner: RuleOwner, index: number, { location }: Rule): TraceEntry {
  return owner.kind === 'policy'
    ? policyTraceEntry(owner.object, 'pass', index, location)
    : profileTraceEntry(owner.object.name, 'deny', index, location);
}

// Two sets of resources as states to compare. What both have in common is parsed and resolved once: the second state is
// the first with the changes applied.
import { freezeState, type PolicyState } from '../analysis/diff/policy-state.ts';
import { hostPoliciesOf } from '../analysis/host-policy.ts';
import { isEqual } from '../base/equal.ts';
import type { DataplaneError } from '../base/errors.ts';
import { CalcGraph } from '../calc/graph.ts';
import { ModelStore } from '../model/build-world.ts';
import type { World } from '../model/world.ts';
import type { Resource } from '../resources/resource.ts';
import { diffSnapshots, type ResourceSnapshot } from '../resources/sources/snapshot.ts';

export interface LoadedState extends PolicyState {
  /** Objects that were refused; all others are in the world. */
  readonly errors: readonly DataplaneError[];
}

/** Both states with every node's endpoints; neither depends on the other. */
export function loadStates(before: ResourceSnapshot, after: ResourceSnapshot): readonly [LoadedState, LoadedState] {
  const store = new ModelStore();
  const graph = new CalcGraph(() => true);
  store.apply(before.objects.values());
  for (const objects of Object.values(store.world)) graph.apply(objects.values(), []);
  const first: LoadedState = {
    world: copyWorld(store.world),
    ...stateOf(graph),
    errors: [...before.errors, ...store.errors],
  };
  const { changed, removed } = diffSnapshots(before, after) ?? { changed: [], removed: [] };
  const change = store.apply(
    changed.map((id) => after.objects.get(id) as Resource),
    removed,
  );
  if (change.changed.length + change.removed.length === 0) {
    return [first, { ...first, errors: [...after.errors, ...store.errors] }];
  }
  graph.apply(change.changed, change.removed);
  return [first, { world: store.world, ...stateOf(graph), errors: [...after.errors, ...store.errors] }];
}

function stateOf(graph: CalcGraph): Pick<PolicyState, 'desired' | 'hostPolicies'> {
  const live = graph.flush();
  return { desired: freezeState(live), hostPolicies: hostPoliciesOf(live) };
}

/** Objects that only one side has, or that say something else there; where they are written does not count. */
export function countChangedObjects(before: ResourceSnapshot, after: ResourceSnapshot): number {
  let count = 0;
  for (const [id, resource] of after.objects) {
    const known = before.objects.get(id);
    if (known !== resource && (known === undefined || !saysTheSame(known, resource))) count += 1;
  }
  for (const id of before.objects.keys()) if (!after.objects.has(id)) count += 1;
  return count;
}

function saysTheSame(a: Resource, b: Resource): boolean {
  return a.apiVersion === b.apiVersion && isEqual(a.metadata, b.metadata) && isEqual(a.spec, b.spec);
}

function copyWorld(world: World): World {
  return {
    policies: new Map(world.policies),
    tiers: new Map(world.tiers),
    profiles: new Map(world.profiles),
    workloadEndpoints: new Map(world.workloadEndpoints),
    hostEndpoints: new Map(world.hostEndpoints),
    hostSettings: new Map(world.hostSettings),
    networkSets: new Map(world.networkSets),
    serviceSlices: new Map(world.serviceSlices),
  };
}

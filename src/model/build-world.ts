// Resources in, the world out, change by change. The world depends on the resources alone, not on the order or the
// number of steps in which they came.
//
//   resources --parseResource--> Candidates --best--> AddressClaims (workload endpoints only) --> world
//     nodes, plan --> AutoHostEndpoints --^

import { isEqual } from '../base/equal.ts';
import { DataplaneError } from '../base/errors.ts';
import type { Resource, ResourceType } from '../resources/resource.ts';
import { formatAddress } from './address.ts';
import { AddressClaims, type Conflict } from './address-claims.ts';
import { AutoHostEndpoints } from './auto-host-endpoints.ts';
import { bestOf, type Candidate, Candidates, RANK, type Slot } from './candidates.ts';
import type { WorkloadEndpoint } from './endpoint.ts';
import { parseResource } from './parse/parse-resource.ts';
import { DEFAULT_ALLOW_PROFILE } from './parse/profiles.ts';
import type { ParseResult } from './parse/result.ts';
import { builtInTiers } from './parse/tiers.ts';
import type { ModelObject, ModelType, World } from './world.ts';

export interface ModelChange {
  /** New objects and new values of known ones. */
  readonly changed: readonly ModelObject[];
  readonly removed: readonly { readonly type: ModelType; readonly key: string }[];
  /** Errors that this change brought; those that stand are in ModelStore.errors. */
  readonly errors: readonly DataplaneError[];
}

type Place = Pick<ModelObject, 'type' | 'key'>;

const DERIVED: ReadonlySet<ResourceType> = new Set(['Pod', 'Namespace', 'ServiceAccount']);
const BUILT_IN_SOURCE = '';

export class ModelStore {
  readonly #parse: (resource: Resource) => ParseResult;
  /** By resource id; nothing for resources that stand for nothing. */
  readonly #candidatesOf = new Map<string, Candidate | readonly Candidate[]>();
  readonly #errors = new Map<string, readonly DataplaneError[]>();
  readonly #candidates = new Candidates();
  readonly #automatic = new AutoHostEndpoints();
  readonly #claims = new AddressClaims();
  readonly #maps: { readonly [T in ModelType]: Map<string, ModelObject> } = {
    policy: new Map(),
    tier: new Map(),
    profile: new Map(),
    workloadEndpoint: new Map(),
    hostEndpoint: new Map(),
    hostSettings: new Map(),
    networkSet: new Map(),
    serviceSlice: new Map(),
  };
  /** A live view: changes with apply(). Starts with what is built in. */
  readonly world: World;

  /** parse = what a resource stands for, for callers that know it already. */
  constructor(parse: (resource: Resource) => ParseResult = parseResource) {
    this.#parse = parse;
    for (const object of [...builtInTiers(), DEFAULT_ALLOW_PROFILE]) {
      this.#candidates.add({ source: BUILT_IN_SOURCE, rank: RANK.builtIn, object });
      this.#maps[object.type].set(object.key, object);
    }
    this.world = {
      policies: this.#maps.policy,
      tiers: this.#maps.tier,
      profiles: this.#maps.profile,
      workloadEndpoints: this.#maps.workloadEndpoint,
      hostEndpoints: this.#maps.hostEndpoint,
      hostSettings: this.#maps.hostSettings,
      networkSets: this.#maps.networkSet,
      serviceSlices: this.#maps.serviceSlice,
    } as World;
  }

  /** Every error that stands. */
  get errors(): readonly DataplaneError[] {
    return [...[...this.#errors.values()].flat(), ...[...this.#claims.conflicts()].map(conflictError)];
  }

  /** Takes new and changed resources in and forgets removed ones (by resource id). */
  apply(changedResources: Iterable<Resource>, removedIds: Iterable<string> = []): ModelChange {
    const touched: Slot[] = [];
    const errors: DataplaneError[] = [];
    for (const id of removedIds) this.#forget(id, touched);
    for (const resource of changedResources) for (const error of this.#take(resource, touched)) errors.push(error);
    for (const [id, endpoints] of this.#automatic.settle()) {
      this.#withdraw(id, touched);
      this.#propose(id, RANK.derived, endpoints, touched);
    }
    const change: { changed: ModelObject[]; removed: Place[] } = { changed: [], removed: [] };
    for (const slot of touched) {
      const { type, key } = slot;
      const object = bestOf(slot);
      this.#candidates.settle(slot);
      if (type === 'workloadEndpoint') this.#claims.set(key, object as WorkloadEndpoint | undefined);
      else this.#update(type, key, object, change);
    }
    const { keys, arisen } = this.#claims.settle();
    for (const key of keys) this.#update('workloadEndpoint', key, this.#claims.admitted(key), change);
    return { ...change, errors: [...errors, ...arisen.map(conflictError)] };
  }

  #take(resource: Resource, touched: Slot[]): readonly DataplaneError[] {
    this.#forget(resource.id, touched);
    const { objects, errors, source } = this.#parse(resource);
    if (errors.length > 0) this.#errors.set(resource.id, errors);
    if (source !== undefined) this.#automatic.set(resource.id, source);
    this.#propose(resource.id, DERIVED.has(resource.type) ? RANK.derived : RANK.written, objects, touched);
    return errors;
  }

  #propose(source: string, rank: number, objects: readonly ModelObject[], touched: Slot[]): void {
    if (objects.length === 0) return;
    const candidates = objects.map((object): Candidate => ({ source, rank, object }));
    this.#candidatesOf.set(source, candidates.length === 1 ? (candidates[0] as Candidate) : candidates);
    for (const candidate of candidates) {
      touch(touched, this.#candidates.add(candidate));
    }
  }

  #forget(id: string, touched: Slot[]): void {
    if (this.#errors.size > 0) this.#errors.delete(id);
    this.#automatic.delete(id);
    this.#withdraw(id, touched);
  }

  #withdraw(id: string, touched: Slot[]): void {
    const candidates = this.#candidatesOf.get(id);
    if (candidates === undefined) return;
    this.#candidatesOf.delete(id);
    for (const { object } of [candidates].flat()) {
      const slot = this.#candidates.remove(id, object);
      if (slot !== undefined) touch(touched, slot);
    }
  }

  #update(
    type: ModelType,
    key: string,
    object: ModelObject | undefined,
    change: { changed: ModelObject[]; removed: Place[] },
  ): void {
    const map = this.#maps[type];
    const before = map.get(key);
    if (object === undefined) {
      if (map.delete(key)) change.removed.push({ type, key });
    } else if (before === undefined || !isSameObject(before, object)) {
      map.set(key, object);
      change.changed.push(object);
    }
  }
}

/** Lines are asked for last, and only where all else is the same: for that the text is parsed. */
function isSameObject(a: ModelObject, b: ModelObject): boolean {
  return isEqual(a, b, 'line') && isEqual(a, b);
}

function touch(touched: Slot[], slot: Slot): void {
  if (slot.isTouched) return;
  slot.isTouched = true;
  touched.push(slot);
}

function conflictError({ endpoint, owner, address }: Conflict): DataplaneError {
  const { file, line } = owner.location;
  return new DataplaneError('ADDRESS_CONFLICT', 'address belongs to another endpoint', {
    operation: 'parse',
    target: `workloadendpoint ${endpoint.displayName}`,
    found: formatAddress(address),
    hint: `${owner.displayName} has it, ${file}:${line}`,
    file: endpoint.location.file,
    line: endpoint.location.line,
  });
}

/** The world of these resources, built-in tiers and profiles included. What has an error is left out of it. */
export function buildWorld(resources: Iterable<Resource>): { world: World; errors: readonly DataplaneError[] } {
  const store = new ModelStore();
  store.apply(resources);
  return { world: store.world, errors: store.errors };
}

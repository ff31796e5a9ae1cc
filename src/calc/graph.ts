// The door to calc: feed it model changes, read what this node must enforce. The output depends on the current inputs
// only, never on the order in which they came. Inputs that exceed a limit have no output until they change.
//
//   model changes --apply-->  CalcGraph (CalcNodes)  --flush-->  DesiredState
import { DataplaneError } from '../base/errors.ts';
import type { ModelObject, ModelType } from '../model/world.ts';
import { type CalcLimits, DEFAULT_CALC_LIMITS } from './limits.ts';
import { CalcNodes, type IsLocal } from './nodes.ts';
import type { DesiredState } from './resolved.ts';

export interface RemovedObject {
  readonly type: ModelType;
  readonly key: string;
}

export class CalcGraph {
  readonly #isLocal: IsLocal;
  readonly #limits: CalcLimits;
  /** By type, by key: what new nodes start from. */
  readonly #objects: { readonly [T in ModelType]: Map<string, ModelObject> } = {
    tier: new Map(),
    policy: new Map(),
    profile: new Map(),
    workloadEndpoint: new Map(),
    hostEndpoint: new Map(),
    hostSettings: new Map(),
    networkSet: new Map(),
    serviceSlice: new Map(),
  };
  /** undefined = a limit was exceeded since the nodes were made. */
  #nodes: CalcNodes | undefined;
  /** Why the inputs as they are have no output. */
  #failure: DataplaneError | undefined;
  /** The output of the inputs as they are, once asked for. */
  #desired: DesiredState | undefined;

  /** isLocal says which endpoints this node enforces. */
  constructor(isLocal: IsLocal, limits: CalcLimits = DEFAULT_CALC_LIMITS) {
    this.#isLocal = isLocal;
    this.#limits = limits;
    this.#nodes = new CalcNodes(isLocal, limits);
  }

  /** Applies changes in any order; `changed` objects replace those of the same type and key. */
  apply(changed: Iterable<ModelObject>, removed: Iterable<RemovedObject>): void {
    const objects = [...changed];
    const gone = [...removed];
    if (objects.length + gone.length === 0) return;
    for (const { type, key } of gone) this.#objects[type].delete(key);
    for (const object of objects) this.#objects[object.type].set(keyOf(object), object);
    this.#failure = undefined;
    this.#desired = undefined;
    this.#attempt((nodes) => {
      for (const { type, key } of gone) nodes.remove(type, key);
      for (const object of objects) nodes.set(object);
    });
  }

  /**
   * Everything this node must enforce; the same object until something changes, and its maps are live until then.
   * Throws LIMIT_EXCEEDED, again at once until something changes; then it starts afresh.
   */
  flush(): DesiredState {
    if (this.#desired !== undefined) return this.#desired;
    if (this.#failure === undefined && this.#nodes === undefined) {
      this.#nodes = new CalcNodes(this.#isLocal, this.#limits);
      this.#attempt((nodes) => {
        for (const byKey of Object.values(this.#objects)) for (const object of byKey.values()) nodes.set(object);
      });
    }
    this.#attempt((nodes) => {
      this.#desired = nodes.flush();
    });
    if (this.#desired === undefined) throw this.#failure;
    return this.#desired;
  }

  /** Nodes that throw are left behind: what they hold is neither the inputs before nor those after. */
  #attempt(work: (nodes: CalcNodes) => void): void {
    if (this.#nodes === undefined) return;
    try {
      work(this.#nodes);
    } catch (error) {
      this.#nodes = undefined;
      if (!(error instanceof DataplaneError) || error.code !== 'LIMIT_EXCEEDED') throw error;
      this.#failure = error;
    }
  }
}

/** Tiers and profiles are known by name. */
function keyOf(object: ModelObject): string {
  return object.type === 'tier' || object.type === 'profile' ? object.name : object.key;
}

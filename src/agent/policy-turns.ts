// Changes of stored resources, each in a turn of its own between the agent's other work: tried on what is in force, stored
// when it compiles, in force when it is stored. Either all of that happens or nothing.
import type { CalcGraph } from '../calc/graph.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { Wiring } from '../kernel/wiring.ts';
import type { World } from '../model/world.ts';
import type { ManifestFeed, StoredChanges } from './manifest-feed.ts';

/** What a turn works on, and what it asks its agent. */
export interface PolicyParts {
  readonly feed: Pick<ManifestFeed, 'keepStored' | 'putStored' | 'world'>;
  readonly graph: Pick<CalcGraph, 'flush'>;
  readonly dataplane: Pick<Dataplane, 'apply'>;
  readonly wiringOf: (desired: DesiredState) => Wiring;
  /** Called before anything changes. */
  readonly onTry: () => void;
}

export class PolicyTurns {
  readonly #parts: PolicyParts;
  readonly #waiting: (() => Promise<void>)[] = [];

  constructor(parts: PolicyParts) {
    this.#parts = parts;
  }

  /**
   * Resolves when its turn has come and all is in force. commit is called once all compiles. Rejects with what is wrong,
   * and with what commit throws: nothing is changed then.
   */
  put(changes: StoredChanges, commit: (world: World) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => this.#take(changes, commit).then(resolve, reject));
    });
  }

  /** Lets everybody who waits have his turn. Nobody else may touch the parts meanwhile. */
  async run(): Promise<void> {
    for (let turn = this.#waiting.shift(); turn !== undefined; turn = this.#waiting.shift()) await turn();
  }

  async #take(changes: StoredChanges, commit: (world: World) => void): Promise<void> {
    const { feed, graph, dataplane, wiringOf, onTry } = this.#parts;
    onTry();
    const { undo, errors } = feed.putStored(changes);
    let isCommitted = false;
    try {
      if (errors.length > 0) throw new AggregateError(errors, 'refused');
      const desired = graph.flush();
      await dataplane.apply(desired, wiringOf(desired), () => {
        commit(feed.world);
        isCommitted = true;
      });
    } catch (error) {
      if (!isCommitted) feed.putStored(undo);
      throw error;
    } finally {
      if (isCommitted) feed.keepStored(changes);
    }
  }
}

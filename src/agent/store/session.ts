// The store as one agent has it: opened when it is needed first, read once, written through one desk.
import type { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Steps } from '../../base/steps.ts';
import { parseResource } from '../../model/parse/parse-resource.ts';
import type { Resource } from '../../resources/resource.ts';
import { ChangeDesk, type PolicyHost, undoExpired } from './change-desk.ts';
import { asOfNow, type Confirmation } from './confirmation.ts';
import { ResourceStore, storeStamp } from './resource-store.ts';
import { readResource } from './stored-object.ts';

/** What status says of the store. */
export interface StoreStatus {
  readonly revision: number;
  readonly objects: number;
  readonly pending: Confirmation | null;
}

interface Opened {
  readonly store: ResourceStore;
  readonly desk: ChangeDesk;
}

export class StoreSession {
  readonly #stateDirectory: string;
  readonly #host: PolicyHost;
  readonly #log: Logger;
  readonly #keptRevisions: number | undefined;
  #opened: Opened | undefined;
  #status: StoreStatus | null = null;

  /** keptRevisions: of history; the store's own number unless given. */
  constructor(stateDirectory: string, host: PolicyHost, log: Logger, keptRevisions?: number) {
    this.#stateDirectory = stateDirectory;
    this.#host = host;
    this.#log = log;
    this.#keptRevisions = keptRevisions;
  }

  /**
   * Every resource, object by object, once what was not confirmed in time is undone. What this version cannot read is
   * logged; it stays in the store. An agent that nobody has sent a change has no store. Throws STORE_FAILED.
   */
  *loading(): Steps<Resource[]> {
    const resources: Resource[] = [];
    if (this.#opened === undefined && storeStamp(this.#stateDirectory) === '') return resources;
    const undone = undoExpired(this.store);
    if (undone !== undefined) {
      this.#log.warn('a change was not confirmed in time and is undone', { revision: undone });
    }
    for (const { id, manifest } of this.store.objects()) {
      try {
        const resource = readResource(manifest);
        const { errors } = parseResource(resource);
        if (errors.length > 0) throw new AggregateError(errors);
        resources.push(resource);
      } catch (error) {
        const errors = error instanceof AggregateError ? (error.errors as readonly DataplaneError[]) : [error];
        this.#log.error('a stored object is not in force', { id, errors: errors.map(String) });
      }
      yield;
    }
    return resources;
  }

  /** From here on what still awaits a confirmation is undone when its time is up. */
  begin(): void {
    this.#opened?.desk.watchConfirmation();
  }

  /** Throws STORE_FAILED. */
  get store(): ResourceStore {
    return this.#open().store;
  }

  /** Throws STORE_FAILED. */
  get desk(): ChangeDesk {
    return this.#open().desk;
  }

  /** Something awaits a confirmation. */
  get isPending(): boolean {
    return this.status()?.pending != null;
  }

  /** null = no change has come, or they are not loaded yet. Of a store that cannot be read what was known last. */
  status(): StoreStatus | null {
    if (this.#opened === undefined) return null;
    try {
      const { revision, objectCount, pending } = this.#opened.store;
      this.#status = { revision, objects: objectCount, pending: pending === undefined ? null : asOfNow(pending) };
    } catch (error) {
      if ((error as DataplaneError).code !== 'STORE_FAILED') throw error;
    }
    return this.#status;
  }

  /** Waits for the change that is under way. */
  async close(): Promise<void> {
    await this.#opened?.desk.close();
    await this.#opened?.store.close();
    this.#opened = undefined;
  }

  #open(): Opened {
    if (this.#opened === undefined) {
      const store = ResourceStore.open(this.#stateDirectory, this.#keptRevisions);
      this.#opened = { store, desk: new ChangeDesk(store, this.#host, this.#log) };
    }
    return this.#opened;
  }
}

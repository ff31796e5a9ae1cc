// The events of one kind of object for as long as somebody reads: through restarts of the agent, each event once, and none left
// out where an answer breaks off in the middle of a change.
import { setTimeout as sleep } from 'node:timers/promises';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import { at } from './object-columns.ts';
import type { CollectionRef, ResourceClient, WatchEvent } from './resource-client.ts';

export interface FollowedObjects {
  readonly ref: CollectionRef;
  readonly selectors: { readonly labelSelector?: string; readonly fieldSelector?: string };
  /** Later than it; what is there does not come first. */
  readonly since?: string;
}

export interface Clock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** How long an agent may be away, for a restart. */
const AWAY_MS = 30_000;
const RETRY_MS = 200;
const SYSTEM_CLOCK: Clock = { now: Date.now, sleep };

export class Follower {
  readonly #client: Pick<ResourceClient, 'list' | 'watch'>;
  readonly #followed: FollowedObjects;
  readonly #use: (event: WatchEvent) => Promise<void>;
  readonly #clock: Clock;
  readonly #place = new WatchPlace();
  #mustList: boolean;
  #awaySince = Number.POSITIVE_INFINITY;

  constructor(
    client: Pick<ResourceClient, 'list' | 'watch'>,
    followed: FollowedObjects,
    use: (event: WatchEvent) => Promise<void>,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#client = client;
    this.#followed = followed;
    this.#use = use;
    this.#clock = clock;
    this.#mustList = followed.since === undefined;
    if (followed.since !== undefined) this.#place.moveTo(followed.since);
  }

  /**
   * Until the time is up, or for good. Throws what the agent refuses, AGENT_UNREACHABLE when it is not there to begin with or
   * stays away, and REVISION_GONE when `since` is.
   */
  async follow(timeoutSeconds?: number): Promise<void> {
    const { now, sleep: pause } = this.#clock;
    const end = timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : now() + timeoutSeconds * 1000;
    if (this.#mustList) await this.#list();
    while (now() < end) {
      try {
        if (this.#mustList) await this.#list();
        await this.#watch(end);
      } catch (error) {
        this.#bear(error);
      }
      if (now() < end) await pause(RETRY_MS);
    }
  }

  /** Throws what no restart of the agent explains, or none that takes so long. */
  #bear(error: unknown): void {
    if (!(error instanceof DataplaneError)) throw error;
    if (error.code === 'REVISION_GONE' && this.#followed.since === undefined) this.#mustList = true;
    else if (error.code !== 'AGENT_UNREACHABLE') throw error;
    const now = this.#clock.now();
    this.#awaySince = Math.min(this.#awaySince, now);
    if (now - this.#awaySince > AWAY_MS) throw error;
  }

  async #list(): Promise<void> {
    const { ref, selectors } = this.#followed;
    const { items, resourceVersion } = await this.#client.list(ref, selectors);
    for (const object of items) await this.#use({ type: 'ADDED', object });
    this.#place.moveTo(resourceVersion);
    this.#mustList = false;
  }

  async #watch(end: number): Promise<void> {
    const left = Math.ceil((end - this.#clock.now()) / 1000);
    const timeoutSeconds = Number.isFinite(left) ? Math.max(1, left) : undefined;
    const { ref, selectors } = this.#followed;
    const options = { ...selectors, resourceVersion: this.#place.whole, timeoutSeconds };
    for await (const event of this.#client.watch(ref, options)) {
      // An agent that answers is back, however long ago it went away.
      this.#awaySince = Number.POSITIVE_INFINITY;
      if (this.#place.isNew(event)) await this.#use(event);
    }
    this.#awaySince = Number.POSITIVE_INFINITY;
  }
}

/** How far a watch has come. An event does not say whether it is the last one of its change: that is known when another follows. */
class WatchPlace {
  #whole: string | undefined;
  /** Whose events are coming. */
  #open = 0;
  /** What has come since the last whole revision, which comes again when the watch is taken up from there. */
  readonly #seen = new Set<string>();

  /** The last revision of which every event has come. */
  get whole(): string | undefined {
    return this.#whole;
  }

  moveTo(revision: string): void {
    this.#whole = revision;
    this.#open = Number(revision);
    this.#seen.clear();
  }

  /** True for an event that is to be shown, and takes note of it. */
  isNew({ type, object }: WatchEvent): boolean {
    const version = versionOf(object);
    // What a file defines was in the list.
    if (version === undefined) return false;
    if (type === 'BOOKMARK') {
      this.moveTo(version);
      return false;
    }
    const key = JSON.stringify([type, version, at(object, 'metadata', 'namespace'), at(object, 'metadata', 'name')]);
    if (this.#seen.has(key)) return false;
    // An object that a file had covered has a version older than the change that uncovers it.
    if (Number(version) > this.#open) this.#begin(Number(version));
    this.#seen.add(key);
    return true;
  }

  /** All of the revision before has come. */
  #begin(revision: number): void {
    if (this.#open > Number(this.#whole)) this.moveTo(String(this.#open));
    this.#open = revision;
  }
}

/** undefined for what has none, and for objects of files. */
function versionOf({ metadata }: Manifest): string | undefined {
  const version = isPlain(metadata) ? metadata.resourceVersion : undefined;
  return typeof version === 'string' && version !== '0' ? version : undefined;
}

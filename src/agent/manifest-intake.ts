// What goes with the manifest directory of an agent: its feed, the memory of what was accepted, and the history of what changed.
import type { Logger } from '../base/log.ts';
import { AcceptedManifests } from './accepted-manifests.ts';
import { ManifestFeed } from './manifest-feed.ts';
import type { AgentOptions } from './options.ts';
import { FileHistory } from './store/file-history.ts';
import type { StoreSession } from './store/session.ts';

export class ManifestIntake {
  readonly memory: AcceptedManifests;
  readonly feed: ManifestFeed;
  readonly #history: FileHistory;

  constructor(options: AgentOptions, stored: Pick<StoreSession, 'desk'>, log: Logger) {
    const { manifests, limits } = options;
    this.memory = new AcceptedManifests(options, log, () => this.#history.isBehind);
    this.feed = new ManifestFeed(manifests, this.memory, log, limits.manifests);
    this.#history = new FileHistory({ directory: manifests, stored, log, onRecorded: () => this.memory.recorded() });
    this.feed.keepHistory(this.#history);
  }

  /** To be called when all that was read so far is being put in force; what it returns, when it is. */
  taking(): () => void {
    return this.#history.taking();
  }

  /** Resolves when all that is in force is in history. The memory stays open. */
  async close(): Promise<void> {
    this.feed.close();
    await this.#history.close();
  }
}

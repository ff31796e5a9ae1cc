// When all is quiet, what is in force is written down for the next start, and taken back before anything of it changes. Part of
// Agent; what exactly is written, and whether it is believed, is resume-point.ts.
import type { DesiredState } from '../calc/resolved.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { Wiring } from '../kernel/wiring.ts';
import type { AcceptedManifests } from './accepted-manifests.ts';
import type { ManifestFeed } from './manifest-feed.ts';
import type { ResumePoint, Resumption, SettledState, Wire } from './resume-point.ts';
import type { StoreSession } from './store/session.ts';
import { tidyHeap } from './tidy-heap.ts';

/** What must be at rest, and whom it asks. */
export interface SettlingParts {
  readonly resumePoint: Pick<ResumePoint, 'read' | 'clear' | 'isThere' | 'writeSoon' | 'close'>;
  readonly dataplane: Pick<Dataplane, 'policyFingerprint'>;
  readonly memory: Pick<AcceptedManifests, 'revision' | 'digest'>;
  readonly feed: Pick<ManifestFeed, 'status'>;
  readonly stored: Pick<StoreSession, 'isPending'>;
  /** All that was accepted is in force, and this is what must be. */
  readonly inForce: () => DesiredState | undefined;
}

interface Applied {
  readonly desired: DesiredState;
  readonly wiring: Wiring;
}

export class Settling {
  readonly #parts: SettlingParts;
  /** What was applied last; undefined = a change is under way, or one has failed. */
  #applied: Applied | undefined;
  /** Of the memory, when the state was written down last. */
  #revision: number | undefined;

  constructor(parts: SettlingParts) {
    this.#parts = parts;
  }

  /** What an earlier agent left and what was found to hold; undefined = start in the ordinary way. */
  resume(wire: Wire): Resumption | undefined {
    const { resumePoint, dataplane } = this.#parts;
    return resumePoint.read(dataplane.policyFingerprint(), wire);
  }

  /** To be called before anything changes. */
  clear(): void {
    this.#parts.resumePoint.clear();
    this.#applied = undefined;
  }

  /** To be called before these are applied: nothing changes if they are what was applied last. */
  expect(desired: DesiredState, { bindings, interfaces }: Wiring): void {
    const { desired: before, wiring } = this.#applied ?? {};
    const isSame = desired === before && bindings === wiring?.bindings && interfaces === wiring.interfaces;
    if (!isSame) this.#parts.resumePoint.clear();
    this.#applied = undefined;
  }

  /** They are in force. */
  note(desired: DesiredState, wiring: Wiring): void {
    const { memory, resumePoint } = this.#parts;
    this.#applied = { desired, wiring };
    if (this.#revision === memory.revision && resumePoint.isThere) return;
    resumePoint.writeSoon(() => this.#describe());
  }

  close(): void {
    this.#parts.resumePoint.close();
  }

  /** undefined = something is under way, or not as the manifests say. */
  #describe(): SettledState | undefined {
    const { dataplane, memory, feed, stored, inForce } = this.#parts;
    const { objects, errors } = feed.status();
    const applied = this.#applied;
    if (applied === undefined || errors.length > 0 || stored.isPending || inForce() !== applied.desired)
      return undefined;
    const policy = dataplane.policyFingerprint();
    if (policy === undefined) return undefined;
    if (this.#revision === undefined) tidyHeap();
    this.#revision = memory.revision;
    const { desired, wiring } = applied;
    return { manifests: memory.digest(), objects, policy, endpoints: desired.endpoints, wiring };
  }
}

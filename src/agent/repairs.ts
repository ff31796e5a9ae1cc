// What others did to programs, pins and tables, and the agent undid: counted by cause, each said once. How something is
// undone is kernel/'s business.
import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import { REPAIR_CAUSES, type Repair, type RepairCause } from '../kernel/repair.ts';

/** An interface that comes back is what pods do: counted, but nothing was damaged. */
const NO_DAMAGE: RepairCause = 'interface-anew';

export interface RepairStatus {
  /** Times that damage was undone. */
  readonly repairs: number;
  /** Causes that there were: kernel/repair.ts says what each means. */
  readonly repairsByCause: Readonly<Partial<Record<RepairCause, number>>>;
}

export class Repairs {
  readonly #dataplane: Pick<Dataplane, 'restore'>;
  readonly #log: Logger;
  readonly #counts = new Map<RepairCause, number>();
  #failure: string | undefined;

  constructor(dataplane: Pick<Dataplane, 'restore'>, log: Logger) {
    this.#dataplane = dataplane;
    this.#log = log;
  }

  /** Why the last audit came to nothing; undefined = it did not. */
  get failure(): string | undefined {
    return this.#failure;
  }

  status(): RepairStatus {
    const damage = [...this.#counts].filter(([cause]) => cause !== NO_DAMAGE);
    return {
      repairs: damage.reduce((sum, [, count]) => sum + count, 0),
      repairsByCause: Object.fromEntries(this.#counts),
    };
  }

  /** Has pins and tables put right. Only between two changes of policy. What fails is tried again at the next audit. */
  audit(): void {
    try {
      this.note(this.#dataplane.restore());
      this.#failure = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#failure) this.#log.error('audit of pins and tables ended early', { error: message });
      this.#failure = message;
    }
  }

  note(repairs: readonly Repair[]): void {
    for (const { cause, target, found } of repairs) {
      this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + 1);
      const fields = { cause, what: REPAIR_CAUSES[cause], target, found };
      if (cause === NO_DAMAGE) this.#log.info('interface guarded again', fields);
      else this.#log.warn('repaired', fields);
    }
  }
}

// Which endpoints' interfaces have our programs, and what to say of those that have not. Part of Agent; how programs
// come onto an interface is in interfaces.ts.
import type { Logger } from '../base/log.ts';
import type { EndpointStatus } from './endpoint-binder.ts';
import type { Interfaces } from './interfaces.ts';

export class InterfaceGuard {
  readonly #interfaces: Interfaces;
  readonly #log: Logger;
  /** All of these have their programs; undefined = something is missing. */
  #guarded: readonly EndpointStatus[] | undefined;
  #statuses: readonly EndpointStatus[] = [];
  /** By interface, as of the last look. */
  #failures: ReadonlyMap<string, Error> = new Map();

  constructor(interfaces: Interfaces, log: Logger) {
    this.#interfaces = interfaces;
    this.#log = log;
  }

  /** Interfaces that should have our programs and have not, and why. */
  get failures(): ReadonlyMap<string, Error> {
    return this.#failures;
  }

  /** As guarded last: endpoints whose interface lacks its programs are in error. */
  get statuses(): readonly EndpointStatus[] {
    return this.#statuses;
  }

  /**
   * Has our programs on every interface that needs them. Without an audit only new ones are looked at: the very list of
   * the last time has none.
   */
  guard(statuses: readonly EndpointStatus[], isAudit: boolean): void {
    if (!isAudit && statuses === this.#guarded) return;
    const ready = readyInterfaces(statuses);
    const expected = new Set(statuses.map((status) => status.interface));
    const failures = isAudit ? this.#interfaces.guard(ready, expected) : this.#interfaces.guardNew(ready);
    for (const [name, failure] of failures) {
      if (this.#failures.get(name)?.message === failure.message) continue;
      this.#log.error('interface is not guarded', { interface: name, error: failure.message });
    }
    this.#failures = failures;
    this.#guarded = failures.size === 0 ? statuses : undefined;
    this.#statuses = statuses.map((status) => this.#judge(status));
  }

  /** Has them on new interfaces now; what becomes of that is told by the next guard. */
  guardNew(statuses: readonly EndpointStatus[]): void {
    this.#interfaces.guardNew(readyInterfaces(statuses));
  }

  #judge(status: EndpointStatus): EndpointStatus {
    const failure = this.#failures.get(status.interface);
    if (failure !== undefined) return { ...status, state: 'error', reason: failure.message };
    const newName = this.#interfaces.newNameOf(status.interface);
    if (newName === undefined || status.state !== 'waiting') return status;
    const reason = `${status.reason}: it was renamed to ${newName}, which drops everything until it has its name back`;
    return { ...status, reason };
  }
}

/** Others do not exist, or are not a workload's to guard. */
function readyInterfaces(statuses: readonly EndpointStatus[]): string[] {
  return statuses.filter(({ state }) => state === 'ready').map((status) => status.interface);
}

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

  constructor(interfaces: Interfaces, log: Logger) {
    this.#interfaces = interfaces;
    this.#log = log;
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
    const failures = isAudit ? this.#interfaces.guard(ready) : this.#interfaces.guardNew(ready);
    for (const [name, failure] of failures) {
      this.#log.error('interface is not guarded', { interface: name, error: failure.message });
    }
    this.#guarded = failures.size === 0 ? statuses : undefined;
    this.#statuses = statuses.map((status) => {
      const failure = failures.get(status.interface);
      return failure === undefined ? status : { ...status, state: 'error', reason: failure.message };
    });
  }

  /** Has them on new interfaces now; what becomes of that is told by the next guard. */
  guardNew(statuses: readonly EndpointStatus[]): void {
    this.#interfaces.guardNew(readyInterfaces(statuses));
  }
}

/** Others do not exist, or are not a workload's to guard. */
function readyInterfaces(statuses: readonly EndpointStatus[]): string[] {
  return statuses.filter(({ state }) => state === 'ready').map((status) => status.interface);
}

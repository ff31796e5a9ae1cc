// Which endpoints' interfaces have our programs, and what to say of those that have not. Part of Agent; how programs
// come onto an interface is in interfaces.ts.
import type { Logger } from '../base/log.ts';
import type { Dataplane } from '../kernel/dataplane.ts';
import type { EndpointStatus } from './endpoint-binder.ts';
import { EndpointFiles, type EnforcedEndpoint, endpointDirectory } from './endpoint-files.ts';
import type { Interfaces } from './interfaces.ts';

/** What a guard asks of them. */
export type GuardedInterfaces = Pick<Interfaces, 'links' | 'guard' | 'guardNew' | 'newNameOf'>;

export class InterfaceGuard {
  readonly #interfaces: GuardedInterfaces;
  readonly #log: Pick<Logger, 'error'>;
  readonly #files: Pick<EndpointFiles, 'keep' | 'tell'> | undefined;
  /** All of these have their programs; undefined = something is missing. */
  #guarded: readonly EndpointStatus[] | undefined;
  #statuses: readonly EndpointStatus[] = [];
  /** What they were made from. */
  #given: readonly EndpointStatus[] = [];
  /** By interface number: endpoints that the tables have no place for. */
  #unplaced: ReadonlyMap<number, Error> = new Map();
  /** By interface, as of the last look. */
  #failures: ReadonlyMap<string, Error> = new Map();

  /** files: undefined = nobody is told which endpoints are enforced. */
  constructor(interfaces: GuardedInterfaces, log: Pick<Logger, 'error'>, files?: Pick<EndpointFiles, 'keep' | 'tell'>) {
    this.#interfaces = interfaces;
    this.#log = log;
    this.#files = files;
  }

  /** One that keeps files of enforced endpoints, beside the agent's socket. The dataplane is as it was found at the start. */
  static of(
    interfaces: GuardedInterfaces,
    log: Logger,
    { socket }: { readonly socket: string },
    { generation, takesOverFrom }: Pick<Dataplane, 'generation' | 'takesOverFrom'>,
  ): InterfaceGuard {
    const isInForce = generation > 0 || takesOverFrom !== undefined;
    return new InterfaceGuard(interfaces, log, new EndpointFiles(endpointDirectory(socket), log, isInForce));
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
    this.#given = statuses;
    this.#statuses = statuses.map((status) => this.#judge(status));
    this.#files?.keep(this.#ready());
  }

  /** Policy for all that were guarded last is in force. */
  noteInForce(unplaced: ReadonlyMap<number, Error>): void {
    this.#noteUnplaced(unplaced);
    this.#files?.tell(this.#ready());
  }

  /** Endpoints that are not enforced though their interface has our programs, which drop: by interface number, and why. */
  #noteUnplaced(unplaced: ReadonlyMap<number, Error>): void {
    if (unplaced.size === 0 && this.#unplaced.size === 0) return;
    for (const [ifindex, { message }] of unplaced) {
      if (this.#unplaced.get(ifindex)?.message === message) continue;
      this.#log.error('endpoint is not enforced, its interface drops', { error: message });
    }
    this.#unplaced = unplaced;
    this.#statuses = this.#given.map((status) => this.#judge(status));
  }

  /** Has them on new interfaces now; what becomes of that is told by the next guard. */
  guardNew(statuses: readonly EndpointStatus[]): void {
    this.#interfaces.guardNew(readyInterfaces(statuses));
  }

  #ready(): EnforcedEndpoint[] {
    return this.#statuses.flatMap((status) => {
      const ifindex = this.#interfaces.links.get(status.interface)?.ifindex;
      if (status.state !== 'ready' || ifindex === undefined) return [];
      return [{ endpoint: status.endpoint, interface: status.interface, ifindex }];
    });
  }

  #judge(status: EndpointStatus): EndpointStatus {
    const failure = this.#failures.get(status.interface);
    if (failure !== undefined) return { ...status, state: 'error', reason: failure.message };
    const unplaced = this.#unplaced.get(this.#interfaces.links.get(status.interface)?.ifindex ?? 0);
    if (unplaced !== undefined && status.state === 'ready')
      return { ...status, state: 'error', reason: unplaced.message };
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

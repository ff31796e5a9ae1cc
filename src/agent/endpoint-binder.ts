// Which interface each local endpoint is behind: the one its manifest names, or the one an operator gave it.
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { DataplaneError } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { NetworkLink } from '../kernel/native.ts';
import type { EndpointBinding } from '../kernel/wiring.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';
import type { Actor } from './store/actor.ts';

export interface EndpointStatus {
  /** `<namespace>/<name>`. */
  readonly endpoint: string;
  /** Empty = none is known. */
  readonly interface: string;
  /** waiting = enforced as soon as its interface is there; error = see reason. */
  readonly state: 'ready' | 'waiting' | 'error';
  readonly reason: string;
}

/** Other interfaces are the host's own: programs there would cut it off. */
const WORKLOAD_LINK_KINDS: ReadonlySet<string> = new Set(['veth', 'tun', 'netkit']);

/** Interfaces by `<namespace>/<name>` of the endpoint. */
const fileContent = z.record(z.string(), z.string());

/** Who gave or took an interface, for the log. */
export type GivenBy = Pick<Actor, 'who' | 'from'>;

/** What a start found in the file; `error` = why that is nothing, although there is a file. */
interface Recalled {
  readonly interfaces: ReadonlyMap<string, string>;
  readonly error?: DataplaneError;
}

/**
 * Interfaces given by hand, kept in a file so that a restarted agent knows them. They are facts of this machine and no resources:
 * history has none of them, the log says who gave them.
 */
export class ManualInterfaces {
  readonly #path: string;
  readonly #log: Pick<Logger, 'info' | 'error'>;
  #interfaces: ReadonlyMap<string, string>;
  #error: DataplaneError | undefined;

  constructor(path: string, log: Pick<Logger, 'info' | 'error'>) {
    this.#path = path;
    this.#log = log;
    const { interfaces, error } = recall(path);
    this.#interfaces = interfaces;
    this.#error = error;
    if (error !== undefined) log.error('interfaces given by hand are not known', { error: error.toJSON() });
  }

  /** Why those of an earlier agent are not known; stands until one is given anew. */
  get error(): DataplaneError | undefined {
    return this.#error;
  }

  entries(): ReadonlyMap<string, string> {
    return this.#interfaces;
  }

  /** Throws STORE_FAILED; the endpoint is then where it was. */
  set(endpoint: string, interfaceName: string, by: GivenBy): void {
    const before = this.#interfaces.get(endpoint);
    this.#keep(new Map([...this.#interfaces, [endpoint, interfaceName]]));
    this.#say('interface given by hand', { endpoint, interface: interfaceName, before }, by);
  }

  /** false when there was none. Throws STORE_FAILED; the endpoint is then where it was. */
  delete(endpoint: string, by: GivenBy): boolean {
    const before = this.#interfaces.get(endpoint);
    if (before === undefined) return false;
    this.#keep(new Map([...this.#interfaces].filter(([name]) => name !== endpoint)));
    this.#say('interface given by hand forgotten', { endpoint, before }, by);
    return true;
  }

  #say(message: string, what: Readonly<Record<string, unknown>>, { who, from }: GivenBy): void {
    this.#log.info(message, { ...what, who, from });
  }

  /** On disk first: what only memory had would bind endpoints otherwise than the next agent does. */
  #keep(interfaces: ReadonlyMap<string, string>): void {
    try {
      const text = `${JSON.stringify(Object.fromEntries(interfaces), null, 2)}\n`;
      writeFileSync(`${this.#path}.new`, text, { mode: 0o600, flush: true });
      // What nobody could read may still be of use to a person.
      if (this.#error !== undefined && existsSync(this.#path)) renameSync(this.#path, `${this.#path}.unreadable`);
      renameSync(`${this.#path}.new`, this.#path);
      flushDirectory(dirname(this.#path));
    } catch (cause) {
      const details = { operation: 'write', target: this.#path, cause, hint: 'nothing has changed' };
      throw new DataplaneError('STORE_FAILED', (cause as Error).message, details);
    }
    this.#interfaces = interfaces;
    this.#error = undefined;
  }
}

function recall(path: string): Recalled {
  try {
    const known = fileContent.parse(JSON.parse(readFileSync(path, 'utf8')));
    return { interfaces: new Map(Object.entries(known)) };
  } catch (cause) {
    const interfaces = new Map<string, string>();
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { interfaces };
    const error = new DataplaneError('STORE_FAILED', 'interfaces given by hand are not known', {
      operation: 'read',
      target: path,
      hint: 'give them again: tortie endpoint add; the file is then kept as .unreadable',
      cause,
    });
    return { interfaces, error };
  }
}

/** A rename is on disk with its directory. */
function flushDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

export interface BindResult {
  readonly bindings: readonly EndpointBinding[];
  readonly statuses: readonly EndpointStatus[];
}

/** What a result of bindEndpoints came from. */
interface BindInputs {
  readonly endpoints: readonly WorkloadEndpoint[];
  readonly links: ReadonlyMap<string, NetworkLink>;
  readonly manual: string;
}

/** Gives the very result of the last time for as long as endpoints, interfaces and what was given by hand stay. */
export class EndpointBinder {
  #inputs: BindInputs | undefined;
  #result: BindResult = { bindings: [], statuses: [] };

  /** links: a new map whenever an interface may have changed. */
  bind(
    desired: DesiredState,
    links: ReadonlyMap<string, NetworkLink>,
    manual: ReadonlyMap<string, string>,
  ): BindResult {
    const endpoints = [...desired.endpoints.values()].map(({ endpoint }) => endpoint);
    const inputs = { endpoints, links, manual: JSON.stringify([...manual]) };
    if (this.#inputs === undefined || !isSame(inputs, this.#inputs)) {
      this.#result = bindEndpoints(desired, links, manual);
      this.#inputs = inputs;
    }
    return this.#result;
  }
}

function isSame(a: BindInputs, b: BindInputs): boolean {
  if (a.links !== b.links || a.manual !== b.manual || a.endpoints.length !== b.endpoints.length) return false;
  return a.endpoints.every((endpoint, index) => endpoint === b.endpoints[index]);
}

/** Binds every endpoint whose interface exists; an interface serves one endpoint, the first by key. */
export function bindEndpoints(
  desired: DesiredState,
  links: ReadonlyMap<string, NetworkLink>,
  manual: ReadonlyMap<string, string>,
): BindResult {
  const bindings: EndpointBinding[] = [];
  const statuses: EndpointStatus[] = [];
  const owners = new Map<string, string>();
  for (const [key, { endpoint }] of [...desired.endpoints].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = interfaceOf(endpoint, manual);
    const link = links.get(name);
    const owner = owners.get(name);
    const problem = describeProblem(name, link, owner);
    statuses.push({
      endpoint: endpoint.displayName,
      interface: name,
      state: problem === '' ? 'ready' : owner === undefined && link === undefined ? 'waiting' : 'error',
      reason: problem,
    });
    if (link === undefined || problem !== '') continue;
    owners.set(name, endpoint.displayName);
    bindings.push(toBinding(key, endpoint, link));
  }
  return { bindings, statuses };
}

/** The interface that the endpoint is expected behind; empty = not known. */
export function interfaceOf(endpoint: WorkloadEndpoint, manual: ReadonlyMap<string, string>): string {
  return manual.get(endpoint.displayName) ?? manual.get(endpoint.key) ?? endpoint.interfaceName;
}

function describeProblem(name: string, link: NetworkLink | undefined, owner: string | undefined): string {
  if (name === '') return 'no interface is known: name it in the manifest or with tortie endpoint add';
  if (owner !== undefined) return `interface ${name} belongs to ${owner}`;
  if (link === undefined) return `interface ${name} does not exist yet`;
  if (WORKLOAD_LINK_KINDS.has(link.kind) && link.mac !== '') return '';
  return `interface ${name} is not a workload's: found ${link.kind || 'a device of the host'}, expected an Ethernet veth, tap or netkit`;
}

function toBinding(key: string, endpoint: WorkloadEndpoint, link: NetworkLink): EndpointBinding {
  const mac = endpoint.mac ?? link.peerMac;
  return {
    key,
    ifindex: link.ifindex,
    hostMac: link.mac,
    mac,
    peerDelivery: link.kind === 'veth' && mac !== '' && mac === link.peerMac,
    checkMac: true,
    mtu: link.mtu,
    addresses: endpoint.addresses,
    allowedSourcePrefixes: endpoint.allowedSourcePrefixes,
  };
}

// Which interface each local endpoint is behind: the one its manifest names, or the one an operator gave it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { DesiredState } from '../calc/resolved.ts';
import type { NetworkLink } from '../kernel/native.ts';
import type { EndpointBinding } from '../kernel/wiring.ts';
import type { WorkloadEndpoint } from '../model/endpoint.ts';

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

/** Interfaces given by hand, kept in a file so that a restarted agent knows them. */
export class ManualInterfaces {
  readonly #path: string;
  readonly #interfaces: Map<string, string>;

  constructor(path: string) {
    this.#path = path;
    this.#interfaces = new Map(Object.entries(readJson(path)));
  }

  get(endpoint: string): string | undefined {
    return this.#interfaces.get(endpoint);
  }

  entries(): ReadonlyMap<string, string> {
    return this.#interfaces;
  }

  set(endpoint: string, interfaceName: string): void {
    this.#interfaces.set(endpoint, interfaceName);
    this.#save();
  }

  /** false when there was none. */
  delete(endpoint: string): boolean {
    const isKnown = this.#interfaces.delete(endpoint);
    if (isKnown) this.#save();
    return isKnown;
  }

  #save(): void {
    const temporary = `${this.#path}.new`;
    writeFileSync(temporary, `${JSON.stringify(Object.fromEntries(this.#interfaces), null, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, this.#path);
  }
}

function readJson(path: string): Record<string, string> {
  try {
    const known: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const entries = Object.entries(known ?? {}).filter(([, name]) => typeof name === 'string');
    return Object.fromEntries(entries) as Record<string, string>;
  } catch {
    return {};
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

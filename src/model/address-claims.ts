// Which workload endpoints may have their addresses: of several that claim one address the first written down keeps
// it, and the others are left out whole, because half an endpoint's addresses would be enforced by a guess.
//
// The outcome depends on the claims alone, never on the order in which they came.
import { formatAddress, type IpAddress } from './address.ts';
import type { WorkloadEndpoint } from './endpoint.ts';

export interface Conflict {
  readonly endpoint: WorkloadEndpoint;
  readonly owner: WorkloadEndpoint;
  readonly address: IpAddress;
}

export class AddressClaims {
  readonly #endpoints = new Map<string, WorkloadEndpoint>();
  /** By address; a set only where there are several. */
  readonly #claimants = new Map<string | number, string | Set<string>>();
  /** Addresses that several claim: mostly there are none, and then nobody need be asked. */
  #shared = 0;
  readonly #conflicts = new Map<string, Conflict>();
  #touched = new Set<string>();

  /** The endpoint of that key now; undefined = none. Takes effect at the next settle(). */
  set(key: string, endpoint: WorkloadEndpoint | undefined): void {
    const before = this.#endpoints.get(key);
    if (before !== undefined) this.#withdraw(before);
    if (endpoint === undefined) this.#endpoints.delete(key);
    else this.#claim(endpoint);
    this.#touched.add(key);
  }

  /** Decides again wherever claims changed. Returns the keys that may have changed sides, and conflicts not there before. */
  settle(): { readonly keys: ReadonlySet<string>; readonly arisen: readonly Conflict[] } {
    const touched = this.#touched;
    this.#touched = new Set();
    if (this.#shared === 0 && this.#conflicts.size === 0) return { keys: touched, arisen: [] };
    const keys = new Set<string>();
    const arisen: Conflict[] = [];
    for (const key of touched) {
      if (keys.has(key)) continue;
      keys.add(key);
      if (!this.#isContested(key)) {
        this.#conflicts.delete(key);
        continue;
      }
      const group = this.#groupOf(key);
      for (const endpoint of group) keys.add(endpoint.key);
      arisen.push(...this.#decide(group));
    }
    return { keys, arisen };
  }

  /** The endpoint of that key, unless another one has its address. */
  admitted(key: string): WorkloadEndpoint | undefined {
    return this.#conflicts.has(key) ? undefined : this.#endpoints.get(key);
  }

  conflicts(): Iterable<Conflict> {
    return this.#conflicts.values();
  }

  #claim(endpoint: WorkloadEndpoint): void {
    this.#endpoints.set(endpoint.key, endpoint);
    for (const address of endpoint.addresses) {
      const id = addressId(address);
      const known = this.#claimants.get(id);
      if (known === undefined || known === endpoint.key) {
        this.#claimants.set(id, endpoint.key);
        continue;
      }
      if (typeof known === 'string') this.#shared += 1;
      const claimants = (typeof known === 'string' ? new Set([known]) : known).add(endpoint.key);
      this.#claimants.set(id, claimants);
      this.#touch(claimants);
    }
  }

  #withdraw(endpoint: WorkloadEndpoint): void {
    for (const address of endpoint.addresses) {
      const id = addressId(address);
      const claimants = this.#claimants.get(id);
      if (claimants === endpoint.key) this.#claimants.delete(id);
      if (claimants === undefined || typeof claimants === 'string') continue;
      claimants.delete(endpoint.key);
      this.#touch(claimants);
      const [last] = claimants;
      if (claimants.size !== 1 || last === undefined) continue;
      this.#claimants.set(id, last);
      this.#shared -= 1;
    }
  }

  #touch(keys: Iterable<string>): void {
    for (const key of keys) this.#touched.add(key);
  }

  /** Who claims the address, when several do. */
  #contestants(address: IpAddress): ReadonlySet<string> | undefined {
    const claimants = this.#claimants.get(addressId(address));
    return typeof claimants === 'string' ? undefined : claimants;
  }

  #isContested(key: string): boolean {
    if (this.#shared === 0) return false;
    const endpoint = this.#endpoints.get(key);
    return endpoint?.addresses.some((address) => this.#contestants(address) !== undefined) ?? false;
  }

  /** The endpoint and all that are tied to it by contested addresses, directly or through others. */
  #groupOf(key: string): WorkloadEndpoint[] {
    const group = new Map<string, WorkloadEndpoint>();
    const queue = [key];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const endpoint = this.#endpoints.get(next);
      if (endpoint === undefined || group.has(next)) continue;
      group.set(next, endpoint);
      for (const address of endpoint.addresses) {
        queue.push(...(this.#contestants(address) ?? []));
      }
    }
    return [...group.values()];
  }

  /** Returns the conflicts that the endpoints were not in before. */
  #decide(group: WorkloadEndpoint[]): Conflict[] {
    const arisen: Conflict[] = [];
    const owners = new Map<string | number, WorkloadEndpoint>();
    for (const endpoint of group.sort(compareByPlace)) {
      const address = endpoint.addresses.find((item) => owners.has(addressId(item)));
      if (address === undefined) {
        this.#conflicts.delete(endpoint.key);
        for (const item of endpoint.addresses) owners.set(addressId(item), endpoint);
      } else {
        const owner = owners.get(addressId(address)) as WorkloadEndpoint;
        const conflict = { endpoint, owner, address };
        if (this.#conflicts.get(endpoint.key)?.owner.key !== owner.key) arisen.push(conflict);
        this.#conflicts.set(endpoint.key, conflict);
      }
    }
    return arisen;
  }
}

function addressId(address: IpAddress): string | number {
  return address.family === 4 ? (address.words[0] as number) : formatAddress(address);
}

function compareByPlace(a: WorkloadEndpoint, b: WorkloadEndpoint): number {
  return (
    compareText(a.location.file, b.location.file) || a.location.line - b.location.line || compareText(a.key, b.key)
  );
}

function compareText(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

// This machine's interfaces as policy of host endpoints sees them: number, name, addresses, whether a workload is behind. Part
// of Agent; which endpoint is responsible for which is model/host-interfaces.ts.
import { isEqual } from '../base/equal.ts';
import type { DesiredState } from '../calc/resolved.ts';
import type { NumberedInterface } from '../kernel/host-table.ts';
import type { NetworkLink } from '../kernel/native.ts';
import { loadNative, translateErrors } from '../kernel/native.ts';
import type { EndpointBinding } from '../kernel/wiring.ts';
import type { IpAddress } from '../model/address.ts';
import type { InterfaceKind } from '../model/host-interfaces.ts';

/** The first of every network namespace, and the only one of its kind. */
const LOOPBACK = 1;

/** What there is to look at. */
export interface HostSurroundings {
  /** By name; a new map whenever one may have changed. */
  readonly links: ReadonlyMap<string, NetworkLink>;
  readonly bindings: readonly EndpointBinding[];
  /** Whether interfaces of that name are workloads', known ones or not. */
  readonly isWorkload: (name: string) => boolean;
}

type Addresses = ReadonlyMap<number, readonly IpAddress[]>;

export class HostView {
  /** undefined = to be listed when asked for. */
  #addresses: Addresses | undefined;
  #surroundings: HostSurroundings | undefined;
  #interfaces: readonly NumberedInterface[] = [];

  /** Addresses may have changed, or which interfaces are workloads'. */
  refresh(): void {
    this.#addresses = undefined;
  }

  /** What the last look has found. */
  get interfaces(): readonly NumberedInterface[] {
    return this.#interfaces;
  }

  /** The very list of the last time for as long as nothing about them is new. Throws KERNEL. */
  look(surroundings: HostSurroundings): readonly NumberedInterface[] {
    const { links, bindings, isWorkload } = surroundings;
    const before = this.#surroundings;
    if (this.#addresses !== undefined && links === before?.links && bindings === before.bindings)
      return this.#interfaces;
    this.#addresses ??= listAddresses();
    this.#surroundings = surroundings;
    const addresses = this.#addresses;
    const bound = new Set(bindings.map(({ ifindex }) => ifindex));
    const kindOf = ({ ifindex, name }: NetworkLink): InterfaceKind => {
      if (ifindex === LOOPBACK) return 'loopback';
      return bound.has(ifindex) || isWorkload(name) ? 'workload' : 'host';
    };
    const interfaces = [...links.values()].map((link): NumberedInterface => {
      const { ifindex, name } = link;
      return { ifindex, name, kind: kindOf(link), addresses: addresses.get(ifindex) ?? [] };
    });
    if (!isEqual(interfaces, this.#interfaces)) this.#interfaces = interfaces;
    return this.#interfaces;
  }
}

/** Whether anything of it is about interfaces of the host: programs there are wanted then. */
export function asksForHost({ hostEndpoints, hostSettings }: DesiredState): boolean {
  return hostEndpoints.size > 0 || [...hostSettings.values()].some(({ endpointToHost }) => endpointToHost === 'drop');
}

/** By interface number. */
function listAddresses(): Addresses {
  const addresses = new Map<number, IpAddress[]>();
  const list = translateErrors('list addresses', 'rtnetlink', () => loadNative().addressList());
  for (const { ifindex, bytes } of list) {
    const known = addresses.get(ifindex) ?? [];
    addresses.set(ifindex, known);
    known.push(toAddress(bytes));
  }
  return addresses;
}

/** 4 or 16 bytes in network order. */
function toAddress(bytes: Uint8Array): IpAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(4 * index));
  return { family: words.length === 1 ? 4 : 6, words };
}

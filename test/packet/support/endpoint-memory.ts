// What a Machine's programs know of its workloads: an entry by interface, addresses that lead there, prefixes they may send
// from. When cached verdicts have to be forgotten is the Machine's to say.
import type { BpfMap } from '../../../native/index.d.ts';
import {
  Endpoint,
  EndpointFlags,
  encodeEndpoint,
  encodeLocal,
  encodeSourceKey,
  Local,
  SourceKey,
} from '../../../src/abi/endpoint.gen.ts';
import { macBytes } from '../../support/packets/ethernet.ts';
import { emptyEndpoint, mapped, u32, wordsOf } from './encoding.ts';
import type { Workload } from './workload.ts';

/** Where an interface is looked for first: its number modulo this. */
export const ENDPOINT_SLOTS = 64;

export interface EndpointMaps {
  readonly endpoints: BpfMap;
  readonly addresses: BpfMap;
  readonly sources: BpfMap;
}

export class EndpointMemory {
  readonly #view: DataView;
  readonly #maps: EndpointMaps;

  constructor(maps: EndpointMaps) {
    this.#view = new DataView(maps.endpoints.mmap());
    this.#maps = maps;
  }

  /** All there is to say of the workload. */
  place(workload: Workload): void {
    this.write(workload);
    const { id, ifindex, v4, v6, moreAddresses = [], sources = [] } = workload;
    for (const address of [v4, v6, ...moreAddresses])
      if (address !== undefined) this.setAddress(address, { id, ifindex });
    for (const { address, length } of sources) {
      const key = new Uint8Array(SourceKey.SIZE);
      const bits = 32 + length + (address.includes(':') ? 0 : 96);
      encodeSourceKey(new DataView(key.buffer), 0, { prefix_length: bits, endpoint_id: id, address: wordsOf(address) });
      this.#maps.sources.update(key, u32(1), 0);
    }
  }

  /** The entry of its interface alone. */
  write({ ifindex, id, v4, v6, mac, hostMac, mtu = 1500, flags = EndpointFlags.READY }: Workload): void {
    encodeEndpoint(this.#view, (ifindex % ENDPOINT_SLOTS) * Endpoint.SIZE, {
      ifindex,
      flags,
      id,
      mtu,
      mac: macBytes(mac),
      host_mac: macBytes(hostMac),
      v4: v4 === undefined ? { word: [0, 0, 0, 0] } : wordsOf(v4),
      v6: v6 === undefined ? { word: [0, 0, 0, 0] } : wordsOf(v6),
    });
  }

  erase(ifindex: number): void {
    encodeEndpoint(this.#view, (ifindex % ENDPOINT_SLOTS) * Endpoint.SIZE, emptyEndpoint());
  }

  /** Where the address leads to; undefined = nowhere. */
  setAddress(address: string, owner: Pick<Workload, 'id' | 'ifindex'> | undefined): void {
    const key = mapped(address);
    if (owner === undefined) {
      this.#maps.addresses.delete(key);
      return;
    }
    const value = new Uint8Array(Local.SIZE);
    encodeLocal(new DataView(value.buffer), 0, { slot: owner.ifindex % ENDPOINT_SLOTS, id: owner.id });
    this.#maps.addresses.update(key, value, 0);
  }
}

// The points of one port set: for each (protocol, port), the address set of its holders.
import type { Cidr } from '../model/address.ts';
import type { NamedPort } from '../model/endpoint.ts';
import type { AddressSets } from './address-sets.ts';
import type { PortSet, SetId } from './resolved.ts';

interface Point {
  readonly set: SetId;
  members: number;
}

export class PortPoints implements PortSet {
  readonly id: number;
  readonly #sets: AddressSets;
  readonly #points = new Map<number, Point>();
  readonly #ids = new Map<number, SetId>();

  constructor(sets: AddressSets) {
    this.#sets = sets;
    this.id = sets.newSet();
  }

  get points(): ReadonlyMap<number, SetId> {
    return this.#ids;
  }

  addAll(ports: Iterable<NamedPort>, prefixes: readonly Cidr[]): void {
    for (const { protocol, port } of ports) this.#add(protocol, port, prefixes);
  }

  /** The exact mirror of addAll. */
  removeAll(ports: Iterable<NamedPort>, prefixes: readonly Cidr[]): void {
    for (const { protocol, port } of ports) this.#remove(protocol, port, prefixes);
  }

  #add(protocol: number, port: number, prefixes: readonly Cidr[]): void {
    const key = protocol * 65536 + port;
    let point = this.#points.get(key);
    if (point === undefined) {
      point = { set: this.#sets.newSet(), members: 0 };
      this.#points.set(key, point);
      this.#ids.set(key, point.set);
    }
    point.members += 1;
    this.#sets.addAll(point.set, prefixes);
  }

  #remove(protocol: number, port: number, prefixes: readonly Cidr[]): void {
    const key = protocol * 65536 + port;
    const point = this.#points.get(key);
    if (point === undefined) return;
    this.#sets.removeAll(point.set, prefixes);
    point.members -= 1;
    if (point.members > 0) return;
    this.#points.delete(key);
    this.#ids.delete(key);
  }
}

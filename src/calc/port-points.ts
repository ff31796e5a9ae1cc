// The points of one port set: for each (protocol, port), the address set of its holders.
import type { Cidr } from '../model/address.ts';
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

  add(protocol: number, port: number, prefixes: readonly Cidr[]): void {
    const key = protocol * 65536 + port;
    let point = this.#points.get(key);
    if (point === undefined) {
      point = { set: this.#sets.newSet(), members: 0 };
      this.#points.set(key, point);
      this.#ids.set(key, point.set);
    }
    point.members += 1;
    for (const prefix of prefixes) this.#sets.add(point.set, prefix);
  }

  /** The exact mirror of add. */
  remove(protocol: number, port: number, prefixes: readonly Cidr[]): void {
    const key = protocol * 65536 + port;
    const point = this.#points.get(key);
    if (point === undefined) return;
    for (const prefix of prefixes) this.#sets.remove(point.set, prefix);
    point.members -= 1;
    if (point.members > 0) return;
    this.#points.delete(key);
    this.#ids.delete(key);
  }
}

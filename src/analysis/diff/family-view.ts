// One address family of a comparison: its groups, what changed between them, and words for them.
import type { Family } from '../../model/address.ts';
import type { JointClassification } from '../joint-classes.ts';
import { type AddressGroup, type Both, divideAddresses } from './address-groups.ts';
import type { ListCatalog } from './catalog.ts';
import { type FamilyChanges, findChanges } from './changes.ts';
import { EndpointNames } from './endpoint-names.ts';
import { NetworkNames } from './network-names.ts';
import { PacketSpace } from './packet-space.ts';
import type { Part } from './part.ts';
import { type OwnedBy, People } from './people.ts';
import type { PolicyState } from './policy-state.ts';
import { SideRows } from './side-rows.ts';

export class FamilyView {
  readonly family: Family;
  readonly groups: readonly AddressGroup[];
  readonly space: PacketSpace;
  readonly changes: FamilyChanges;
  readonly people: People;
  readonly networks: NetworkNames;
  readonly #endpoints: EndpointNames;

  /** ids: see People. */
  constructor(
    states: Both<PolicyState>,
    joint: JointClassification,
    catalog: ListCatalog,
    family: Family,
    ids: Map<string, number>,
  ) {
    const worlds: Both<PolicyState['world']> = [states[0].world, states[1].world];
    this.family = family;
    this.groups = divideAddresses(states, joint, catalog, family);
    this.space = new PacketSpace(family, joint.l4, joint.sourcePorts);
    this.changes = findChanges(this.groups, new SideRows(this.groups, catalog, joint.l4, this.space), this.space);
    this.people = new People(this.groups, worlds, ids);
    this.#endpoints = new EndpointNames(this.people);
    this.networks = new NetworkNames(this.groups, worlds, family);
  }

  groupAt(index: number): AddressGroup {
    return this.groups[index] as AddressGroup;
  }

  /** Those of the groups that are no endpoint's. */
  freeGroups(indexes: readonly number[]): AddressGroup[] {
    return indexes.map((index) => this.groupAt(index)).filter(({ owned }) => owned.length === 0);
  }

  ownedBy(indexes: readonly number[]): OwnedBy[] {
    return indexes.flatMap((index) => this.people.of(index));
  }

  /** Exactly the addresses of these groups, in words. */
  describe(indexes: readonly number[]): Part[] {
    if (indexes.length === this.groups.length) return [{ text: 'any address' }];
    return [...this.#endpoints.describe(this.ownedBy(indexes)), ...this.networks.describe(this.freeGroups(indexes))];
  }
}

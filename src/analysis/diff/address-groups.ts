// Divides the addresses of a family into groups that policy cannot tell apart in either state: same class, and the same
// lists of the endpoint that owns them. Addresses without an endpoint form one group for each class.
import type { ResolvedEndpoint } from '../../calc/resolved.ts';
import { compareAddresses, type Family, formatAddress, type IpAddress } from '../../model/address.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import type { JointClass, JointClassification } from '../joint-classes.ts';
import { type AddressRanges, addressNumber } from './address-ranges.ts';
import { type ListCatalog, NO_POLICY } from './catalog.ts';
import { isLinkScope } from './link-scope.ts';
import type { PolicyState } from './policy-state.ts';
import { classRegions } from './regions.ts';

/** A value for the first state and one for the second. */
export type Both<T> = readonly [before: T, after: T];

/** An address that is an endpoint's in at least one state. */
export interface OwnedAddress {
  readonly address: IpAddress;
  readonly owners: Both<WorkloadEndpoint | undefined>;
}

export interface AddressGroup {
  /** Position in its family's list. */
  readonly index: number;
  readonly family: Family;
  readonly class: JointClass;
  /** Ids of the lists that govern sending and receiving; NO_POLICY = no endpoint. */
  readonly egress: Both<number>;
  readonly ingress: Both<number>;
  /** Ascending; empty for a group of addresses without endpoint. */
  readonly owned: readonly OwnedAddress[];
  /** Of a group without endpoint; owned addresses that lie in between are not cut out. */
  readonly ranges: AddressRanges;
  readonly addressCount: bigint;
  /** Key of the endpoint that owns every address of the group. */
  readonly soleOwner: Both<string | undefined>;
  /** As a sender or receiver every address makes neighbour discovery link-scope, which no policy judges. */
  readonly isLinkScope: { readonly source: boolean; readonly destination: boolean };
}

/** Owned groups first, then the others, each by address: the order depends on what there is, not on how it came. */
export function divideAddresses(
  states: Both<PolicyState>,
  joint: JointClassification,
  catalog: ListCatalog,
  family: Family,
): AddressGroup[] {
  const owned = ownedAddresses(states, family);
  const groups = [...ownedGroups(owned, joint, catalog), ...freeGroups(owned, joint, family)];
  return groups.map((group, index) => ({ ...group, index }));
}

type Unnumbered = Omit<AddressGroup, 'index'>;

interface Ownership {
  readonly address: IpAddress;
  readonly resolved: [ResolvedEndpoint | undefined, ResolvedEndpoint | undefined];
}

function ownedAddresses(states: Both<PolicyState>, family: Family): Map<string, Ownership> {
  const owned = new Map<string, Ownership>();
  for (const [state, { desired }] of states.entries()) {
    for (const resolved of desired.endpoints.values()) {
      for (const address of resolved.endpoint.addresses) {
        if (address.family !== family) continue;
        const text = formatAddress(address);
        const known = owned.get(text) ?? { address, resolved: [undefined, undefined] };
        known.resolved[state] = resolved;
        owned.set(text, known);
      }
    }
  }
  return owned;
}

function ownedGroups(
  owned: ReadonlyMap<string, Ownership>,
  joint: JointClassification,
  catalog: ListCatalog,
): Unnumbered[] {
  const byKey = new Map<string, { class: JointClass; lists: Record<Way, Both<number>>; members: OwnedAddress[] }>();
  const sorted = [...owned.values()].sort((a, b) => compareAddresses(a.address, b.address));
  for (const { address, resolved } of sorted) {
    const lists = { egress: listIds(resolved, 'egress', catalog), ingress: listIds(resolved, 'ingress', catalog) };
    const found = joint.classOf(address);
    const key = [found.id, ...lists.egress, ...lists.ingress].join();
    const group = byKey.get(key) ?? { class: found, lists, members: [] };
    group.members.push({ address, owners: [resolved[0]?.endpoint, resolved[1]?.endpoint] });
    byKey.set(key, group);
  }
  return [...byKey.values()].map(({ class: found, lists, members }) => ({
    family: found.family,
    class: found,
    ...lists,
    owned: members,
    ranges: [],
    addressCount: BigInt(members.length),
    soleOwner: [soleOwner(members, 0), soleOwner(members, 1)],
    isLinkScope: isLinkScope(members.map(({ address }) => rangeAt(address))),
  }));
}

type Way = 'egress' | 'ingress';

function listIds(resolved: Ownership['resolved'], way: Way, catalog: ListCatalog): Both<number> {
  const idIn = (state: 0 | 1): number => {
    const list = resolved[state]?.[way];
    return list === undefined ? NO_POLICY : catalog.idOf(state, list);
  };
  return [idIn(0), idIn(1)];
}

function soleOwner(members: readonly OwnedAddress[], state: 0 | 1): string | undefined {
  const key = members[0]?.owners[state]?.key;
  return members.every(({ owners }) => owners[state]?.key === key) ? key : undefined;
}

function freeGroups(owned: ReadonlyMap<string, Ownership>, joint: JointClassification, family: Family): Unnumbered[] {
  const ownedByClass = new Map<JointClass, number>();
  for (const { address } of owned.values()) {
    const found = joint.classOf(address);
    ownedByClass.set(found, (ownedByClass.get(found) ?? 0) + 1);
  }
  const groups: Unnumbered[] = [];
  for (const [found, { ranges, size }] of classRegions(joint, family, (text) => owned.has(text))) {
    const addressCount = size - BigInt(ownedByClass.get(found) ?? 0);
    if (addressCount === 0n) continue;
    groups.push({
      family,
      class: found,
      egress: [NO_POLICY, NO_POLICY],
      ingress: [NO_POLICY, NO_POLICY],
      owned: [],
      ranges,
      addressCount,
      soleOwner: [undefined, undefined],
      isLinkScope: isLinkScope(ranges.map((range) => ({ ...range, family }))),
    });
  }
  return groups.sort((a, b) => ((a.ranges[0]?.first ?? 0n) < (b.ranges[0]?.first ?? 0n) ? -1 : 1));
}

function rangeAt(address: IpAddress): { first: bigint; last: bigint; family: Family } {
  const number = addressNumber(address);
  return { first: number, last: number, family: address.family };
}

// What passes between one endpoint and every group of peers, now and with its staged policies enforced: its own policy
// and the other end's enforced policy together.
import type { ResolvedEndpoint } from '../../calc/resolved.ts';
import type { Direction } from '../../model/policy.ts';
import { addAll, and, type BitSet, removeAll } from '../../tables/bit-sets.ts';
import type { ListProgram } from '../../tables/list-program.ts';
import type { AddressGroup } from '../diff/address-groups.ts';
import type { FamilyView } from '../diff/family-view.ts';
import type { PacketSetId, PacketSpace } from '../diff/packet-space.ts';
import type { SideRows } from '../diff/side-rows.ts';
import type { JointClass, JointClassification } from '../joint-classes.ts';
import { allowedClasses } from '../walk.ts';

/** Packets by index of the peer group; groups between which and the endpoint nothing passes are left out. */
export interface PeerAccess {
  readonly allowed: ReadonlyMap<number, PacketSetId>;
  readonly gained: ReadonlyMap<number, PacketSetId>;
  readonly lost: ReadonlyMap<number, PacketSetId>;
}

/** Of the view's family; `joint` has one state twice. */
export function judgePeers(
  direction: Direction,
  { endpoint, ...lists }: ResolvedEndpoint,
  { groups, space }: FamilyView,
  rows: SideRows,
  joint: JointClassification,
): PeerAccess {
  const newMap = () => new Map<number, PacketSetId>();
  const found = { allowed: newMap(), gained: newMap(), lost: newMap() };
  const programs = joint.programs[0]?.get(lists[direction]);
  if (programs === undefined) return found;
  const own = groups.filter(({ owned }) => owned.some(({ owners }) => owners[0]?.key === endpoint.key));
  for (const peer of groups) {
    // An endpoint's packets to itself never pass the host.
    if (peer.soleOwner[0] === endpoint.key) continue;
    const judge = (program: ListProgram): PacketSetId =>
      joinSets(
        space,
        own.map((local) => {
          const theirs = space.bitsOf(peerAllows(direction, peer, local, rows));
          return space.intern(and(theirs, ownAllows(program, local.class, peer.class, space, joint)));
        }),
      );
    const now = judge(programs.enforced);
    const then = programs.pending === undefined ? now : judge(programs.pending);
    note(found.allowed, peer, now, space);
    note(found.gained, peer, without(space, then, now), space);
    note(found.lost, peer, without(space, now, then), space);
  }
  return found;
}

/** What the other end's policy lets through between the group and one of the endpoint's own. */
function peerAllows(direction: Direction, peer: AddressGroup, own: AddressGroup, rows: SideRows): PacketSetId {
  const list = direction === 'ingress' ? peer.egress[0] : peer.ingress[0];
  const { usual, others } = rows.row(list, peer.class);
  return others.get(own.index) ?? usual;
}

/** What the program lets through between addresses of the two classes. */
function ownAllows(
  program: ListProgram,
  own: JointClass,
  peer: JointClass,
  { family, wordsPerSlice, sourceExamples }: PacketSpace,
  { l4 }: JointClassification,
): BitSet {
  const bits = new Uint32Array(wordsPerSlice * sourceExamples.length);
  const sets = { local: own.sets[0] ?? new Set<number>(), peer: peer.sets[0] ?? new Set<number>() };
  const allowedFrom = (sourcePort: number | undefined) => allowedClasses(program, { family, sets, sourcePort }, l4);
  const any = program.hasSourcePorts ? undefined : allowedFrom(undefined);
  for (const [slice, port] of sourceExamples.entries()) bits.set(any ?? allowedFrom(port), slice * wordsPerSlice);
  return bits;
}

function joinSets(space: PacketSpace, sets: readonly PacketSetId[]): PacketSetId {
  const [first, ...rest] = sets;
  if (first === undefined || rest.every((set) => set === first)) return first ?? space.intern(new Uint32Array(0));
  const bits = space.bitsOf(first).slice();
  for (const set of rest) addAll(bits, space.bitsOf(set));
  return space.intern(bits);
}

function without(space: PacketSpace, set: PacketSetId, removed: PacketSetId): PacketSetId {
  const bits = space.bitsOf(set).slice();
  removeAll(bits, space.bitsOf(removed));
  return space.intern(bits);
}

function note(into: Map<number, PacketSetId>, { index }: AddressGroup, packets: PacketSetId, space: PacketSpace): void {
  if (!space.isNothing(packets)) into.set(index, packets);
}

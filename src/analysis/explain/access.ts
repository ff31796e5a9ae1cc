// What one endpoint may be reached by and may reach: its own policy and the policy of the other end together, for every
// packet there is. Peers that policy cannot tell apart are one group; groups with the same answer are one sentence.
import type { DesiredState, ResolvedEndpoint } from '../../calc/resolved.ts';
import type { Family } from '../../model/address.ts';
import { DIRECTIONS, type Direction } from '../../model/policy.ts';
import type { World } from '../../model/world.ts';
import { ListCatalog } from '../diff/catalog.ts';
import { FamilyView } from '../diff/family-view.ts';
import type { PacketSetId } from '../diff/packet-space.ts';
import { describeServices } from '../diff/services.ts';
import { SideRows } from '../diff/side-rows.ts';
import { classifyJointly, type JointClassification } from '../joint-classes.ts';
import { judgePeers, type PeerAccess } from './peer-access.ts';

/** Peers and what passes between them and the endpoint. */
export interface Access {
  /** In words, exact. */
  readonly peers: string;
  /** Of the peers, not counting addresses without an endpoint. */
  readonly endpoints: number;
  /** Exact, e.g. `TCP 8080`; `everything`. */
  readonly services: readonly string[];
  /** Families that it holds for. */
  readonly families: readonly Family[];
}

export interface DirectionAccess {
  /** What passes now. Empty = nothing. */
  readonly allowed: readonly Access[];
  /** If the endpoint's staged policies were enforced; undefined = none governs the direction. */
  readonly pending?: { readonly gained: readonly Access[]; readonly lost: readonly Access[] };
}

/** The desired state is of every node; both directions are judged with the other end's enforced policy. */
export function explainAccess(
  resolved: ResolvedEndpoint,
  world: World,
  desired: DesiredState,
): Readonly<Record<Direction, DirectionAccess>> {
  const joint = classifyJointly([desired, desired]);
  const catalog = new ListCatalog(joint);
  const ids = new Map<string, number>();
  const state = { world, desired };
  const families = [...new Set(resolved.endpoint.addresses.map(({ family }) => family))].sort();
  const parts = families.map((family) => {
    const view = new FamilyView([state, state], joint, catalog, family, ids);
    return new FamilyAccess(resolved, view, catalog, joint);
  });
  const [ingress, egress] = DIRECTIONS.map((direction): DirectionAccess => {
    const of = (kind: keyof PeerAccess) => mergeFamilies(parts.flatMap((part) => part.describe(direction, kind)));
    const hasStaged = joint.programs[0]?.get(resolved[direction])?.pending !== undefined;
    const allowed = of('allowed');
    return hasStaged ? { allowed, pending: { gained: of('gained'), lost: of('lost') } } : { allowed };
  });
  return { ingress: ingress as DirectionAccess, egress: egress as DirectionAccess };
}

class FamilyAccess {
  readonly #view: FamilyView;
  readonly #peers: Readonly<Record<Direction, PeerAccess>>;

  constructor(resolved: ResolvedEndpoint, view: FamilyView, catalog: ListCatalog, joint: JointClassification) {
    this.#view = view;
    const rows = new SideRows(view.groups, catalog, joint.l4, view.space);
    const judge = (direction: Direction) => judgePeers(direction, resolved, view, rows, joint);
    this.#peers = { ingress: judge('ingress'), egress: judge('egress') };
  }

  /** One access for each set of packets. */
  describe(direction: Direction, kind: keyof PeerAccess): Access[] {
    const bySet = new Map<PacketSetId, number[]>();
    for (const [group, packets] of this.#peers[direction][kind]) {
      const known = bySet.get(packets);
      if (known === undefined) bySet.set(packets, [group]);
      else known.push(group);
    }
    const { family, space } = this.#view;
    return [...bySet].map(([packets, groups]) => ({
      peers: this.#view
        .describe(groups)
        .map(({ text }) => text)
        .join(', '),
      endpoints: new Set(this.#view.ownedBy(groups).map(({ person }) => person.id)).size,
      services: describeServices(space.slicesOf(packets), family),
      families: [family],
    }));
  }
}

/** What both families have in the same words is said once. */
function mergeFamilies(items: readonly Access[]): Access[] {
  const merged = new Map<string, Access>();
  for (const item of items) {
    const key = JSON.stringify([item.peers, item.services]);
    const known = merged.get(key);
    if (known === undefined) merged.set(key, item);
    else merged.set(key, { ...known, families: [...known.families, ...item.families] });
  }
  return [...merged.values()].sort((a, b) => b.endpoints - a.endpoints || (a.peers < b.peers ? -1 : 1));
}

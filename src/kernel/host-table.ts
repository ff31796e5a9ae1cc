// What is in force at each interface of the host, as the numbers that programs find: from the entries of an image. Who is
// responsible where is tables/host-entries.ts, who writes it into the kernel host-interfaces.ts. Pure.
import { HostFlags } from '../abi/host.gen.ts';
import type { HostInterface } from '../model/host-interfaces.ts';
import { type HostScope, HOST_SCOPES as SCOPES } from '../model/policy.ts';
import type { HostEntries, HostLists as NamedLists } from '../tables/host-entries.ts';

/** What is in force at an interface: struct tt_host_lists. */
export interface HostLists {
  readonly flags: number;
  /** By place in HOST_SCOPES, which is the order of enum tt_scope. */
  readonly ids: readonly number[];
}

export interface HostTable {
  /** By interface number. Of all that are not named `others` is in force. */
  readonly interfaces: ReadonlyMap<number, HostLists>;
  readonly others: HostLists;
}

/** An interface of this machine. */
export interface NumberedInterface extends HostInterface {
  readonly ifindex: number;
}

export const NO_LISTS: HostLists = { flags: 0, ids: [0, 0, 0, 0] };
/** Programs that find it have nothing to say. */
export const NO_TABLE: HostTable = { interfaces: new Map(), others: NO_LISTS };

const SCOPE_FLAGS: Readonly<Record<HostScope, number>> = {
  normal: HostFlags.NORMAL,
  forward: HostFlags.FORWARD,
  preDnat: HostFlags.PRE_DNAT,
  untracked: HostFlags.UNTRACKED,
};
const LOCAL_FLAGS = HostFlags.NORMAL | HostFlags.PRE_DNAT | HostFlags.UNTRACKED | HostFlags.DROP_LOCAL;
const FORWARD_FLAGS = HostFlags.FORWARD | HostFlags.PRE_DNAT | HostFlags.UNTRACKED;
/** Lists of the endpoint for all interfaces that workloads' interfaces have too. */
const WORKLOAD_SCOPES: readonly HostScope[] = ['forward', 'preDnat'];
const TRANSIT_FLAGS = HostFlags.FORWARD | HostFlags.PRE_DNAT;

/**
 * The entries are of these interfaces; what workloads behind those in `cutOff` send to the host is dropped. NO_TABLE where
 * nothing is asked anywhere.
 */
export function buildHostTable(
  { byName, others: rest }: HostEntries,
  interfaces: readonly NumberedInterface[],
  cutOff: ReadonlySet<number>,
): HostTable {
  const others = listsOf(rest.lists, SCOPES);
  const named = new Map<number, HostLists>();
  for (const { ifindex, name } of interfaces) {
    const entry = byName.get(name);
    if (entry?.kind === 'workload') {
      const { flags, ids } = listsOf(entry.lists, WORKLOAD_SCOPES);
      const drops = cutOff.has(ifindex) ? HostFlags.DROP_LOCAL : 0;
      named.set(ifindex, { flags: flags | HostFlags.WORKLOAD | drops, ids });
    } else if (entry?.kind === 'host' && entry.lists !== rest.lists) {
      named.set(ifindex, listsOf(entry.lists, SCOPES));
    }
  }
  const all = [...named.values(), others].reduce((flags, lists) => flags | lists.flags, 0);
  const asked =
    ((all & LOCAL_FLAGS) === 0 ? 0 : HostFlags.ANY_LOCAL) | ((all & FORWARD_FLAGS) === 0 ? 0 : HostFlags.ANY_FORWARD);
  if (asked === 0) return NO_TABLE;
  const tracked = (all & HostFlags.UNTRACKED) === 0 ? HostFlags.ALL_TRACKED : 0;
  return { interfaces: named, others: { ...others, flags: others.flags | asked | tracked } };
}

export function isSameTable(a: HostTable, b: HostTable): boolean {
  if (!isSameLists(a.others, b.others) || a.interfaces.size !== b.interfaces.size) return false;
  return [...a.interfaces].every(([ifindex, lists]) => {
    const other = b.interfaces.get(ifindex);
    return other !== undefined && isSameLists(lists, other);
  });
}

/** Whether programs have anything to say. */
export function asksAnything({ others }: HostTable): boolean {
  return (others.flags & (HostFlags.ANY_LOCAL | HostFlags.ANY_FORWARD)) !== 0;
}

/** Whether packets between workloads of this host must pass lists on their way through it. */
export function judgesTransit({ others }: HostTable): boolean {
  return (others.flags & TRANSIT_FLAGS) !== 0;
}

function isSameLists(a: HostLists, b: HostLists): boolean {
  return a.flags === b.flags && a.ids.every((id, place) => id === b.ids[place]);
}

/** A scope that the image has no id for is left out, as one that the endpoint has no list of. */
function listsOf(lists: NamedLists | undefined, scopes: readonly HostScope[]): HostLists {
  if (lists === undefined) return NO_LISTS;
  const idOf = (scope: HostScope): number | undefined => (scopes.includes(scope) ? lists.ids[scope] : undefined);
  return {
    flags: SCOPES.reduce((flags, scope) => flags | (idOf(scope) === undefined ? 0 : SCOPE_FLAGS[scope]), 0),
    ids: SCOPES.map((scope) => idOf(scope) ?? 0),
  };
}

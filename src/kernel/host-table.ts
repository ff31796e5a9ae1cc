// Which lists are in force at each interface of the host, as numbers: from resolved host endpoints. Pure; who writes them into
// the kernel is host-interfaces.ts.
import { HostFlags } from '../abi/host.gen.ts';
import type { ResolvedHostEndpoint } from '../calc/resolved.ts';
import { type HostScope, HOST_SCOPES as SCOPES } from '../model/policy.ts';

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

export interface NumberedInterface {
  readonly ifindex: number;
  /** A workload is behind it: the lists of the endpoint for all interfaces apply, but for the host's own traffic. */
  readonly isWorkload: boolean;
  /** The endpoint of its own, if it has one. */
  readonly own: ResolvedHostEndpoint | undefined;
}

export interface HostTableInput {
  /** Those that have an endpoint of their own, or a workload behind them. */
  readonly interfaces: readonly NumberedInterface[];
  /** The endpoint for all interfaces. */
  readonly any: ResolvedHostEndpoint | undefined;
  /** Packets from workloads to the host are dropped. */
  readonly dropsToHost: boolean;
  /** Endpoint ids of the image by key, `hostEndpoint:<name>/<scope>`. */
  readonly ids: ReadonlyMap<string, number>;
}

export const NO_LISTS: HostLists = { flags: 0, ids: [0, 0, 0, 0] };
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
const WORKLOAD_SCOPES: ReadonlySet<HostScope> = new Set(['forward', 'preDnat']);

/** A scope that the image has no id for is left out, as one that the endpoint has no list of. */
export function buildHostTable({ interfaces, any, dropsToHost, ids }: HostTableInput): HostTable {
  const others = listsOf(any, ids, SCOPES);
  const behindWorkload = SCOPES.filter((scope) => WORKLOAD_SCOPES.has(scope));
  const workloadFlags = HostFlags.WORKLOAD | (dropsToHost ? HostFlags.DROP_LOCAL : 0);
  const named = new Map(
    interfaces.map(({ ifindex, isWorkload, own }): [number, HostLists] => {
      if (!isWorkload) return [ifindex, listsOf(own, ids, SCOPES)];
      const lists = listsOf(any, ids, behindWorkload);
      return [ifindex, { ...lists, flags: lists.flags | workloadFlags }];
    }),
  );
  const all = [...named.values(), others].reduce((flags, lists) => flags | lists.flags, 0);
  const asked =
    ((all & LOCAL_FLAGS) === 0 ? 0 : HostFlags.ANY_LOCAL) | ((all & FORWARD_FLAGS) === 0 ? 0 : HostFlags.ANY_FORWARD);
  return { interfaces: named, others: { ...others, flags: others.flags | asked } };
}

export function isSameTable(a: HostTable, b: HostTable): boolean {
  if (!isSameLists(a.others, b.others) || a.interfaces.size !== b.interfaces.size) return false;
  return [...a.interfaces].every(([ifindex, lists]) => {
    const other = b.interfaces.get(ifindex);
    return other !== undefined && isSameLists(lists, other);
  });
}

function isSameLists(a: HostLists, b: HostLists): boolean {
  return a.flags === b.flags && a.ids.every((id, place) => id === b.ids[place]);
}

function listsOf(
  resolved: ResolvedHostEndpoint | undefined,
  ids: ReadonlyMap<string, number>,
  scopes: readonly HostScope[],
): HostLists {
  if (resolved === undefined) return NO_LISTS;
  const idOf = (scope: HostScope): number | undefined =>
    scopes.includes(scope) && resolved.scopes[scope] !== undefined
      ? ids.get(`hostEndpoint:${resolved.endpoint.name}/${scope}`)
      : undefined;
  return {
    flags: SCOPES.reduce((flags, scope) => flags | (idOf(scope) === undefined ? 0 : SCOPE_FLAGS[scope]), 0),
    ids: SCOPES.map((scope) => idOf(scope) ?? 0),
  };
}

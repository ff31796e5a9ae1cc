// A host with two interfaces of its own, one of a workload, and hand-made lists behind them.
import { HostFlags } from '../../../src/abi/host.gen.ts';
import type { Lists, ScopeName } from './host-machine.ts';
import type { Cell, Rule, TinyPolicy } from './tables.ts';
import { WEB } from './topology.ts';

export const ETH0 = 5;
export const ETH1 = 6;
/** Not named in any table. */
export const OTHER = 9;
/** The host's side of WEB's link. */
export const VETH = WEB.ifindex;

/** First of the ids that the interface's lists have. */
const FIRST: Readonly<Record<number, number>> = { [ETH0]: 10, [ETH1]: 20, [OTHER]: 30, [VETH]: 30 };
const SCOPES: readonly ScopeName[] = ['normal', 'forward', 'preDnat', 'untracked'];

/** What one list says: of an interface, in a scope and direction. */
export type Saying = readonly [interfaceNumber: number, scope: ScopeName, direction: 'ingress' | 'egress', cell: Cell];

export function listId(interfaceNumber: number, scope: ScopeName): number {
  return (FIRST[interfaceNumber] as number) + SCOPES.indexOf(scope);
}

/** Ids of these lists of the interface, and the flags of one that a workload is behind. */
export function listsOf(interfaceNumber: number, scopes: readonly ScopeName[] = SCOPES, flags = 0): Lists {
  const ids = Object.fromEntries(scopes.map((scope) => [scope, listId(interfaceNumber, scope)]));
  return { ...ids, flags: flags | (interfaceNumber === VETH ? HostFlags.WORKLOAD : 0) };
}

/** The lists say this to everything; the workload WEB allows everything. */
export function hostPolicy(sayings: readonly Saying[], generation = 1, more: readonly Rule[] = []): TinyPolicy {
  const open = (['ingress', 'egress'] as const).map(
    (direction): Rule => ({ endpoint: WEB.id, direction, cell: 'allow' }),
  );
  const rules = sayings.map(([at, scope, direction, cell]): Rule => ({ endpoint: listId(at, scope), direction, cell }));
  return { generation, rules: [...open, ...rules, ...more] };
}

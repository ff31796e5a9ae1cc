import { describe, expect, it } from 'vitest';
import { HostFlags } from '../../../src/abi/host.gen.ts';
import {
  asksAnything,
  buildHostTable,
  isSameTable,
  judgesTransit,
  NO_LISTS,
  NO_TABLE,
  type NumberedInterface,
} from '../../../src/kernel/host-table.ts';
import type { InterfaceKind } from '../../../src/model/host-interfaces.ts';
import { HOST_SCOPES, type HostScope } from '../../../src/model/policy.ts';
import type { HostEntries, HostLists } from '../../../src/tables/host-entries.ts';

const { NORMAL, FORWARD, PRE_DNAT, UNTRACKED, WORKLOAD, DROP_LOCAL, ANY_LOCAL, ANY_FORWARD, ALL_TRACKED } = HostFlags;
const NOBODY: ReadonlySet<number> = new Set();

/** 10 and up for `a`, 20 and up for `any`, in the order of scopes. */
function listsOf(name: 'a' | 'any', scopes: readonly HostScope[]): HostLists {
  const first = name === 'a' ? 10 : 20;
  const ids = scopes.map((scope) => [scope, first + HOST_SCOPES.indexOf(scope)]);
  return { key: `hostEndpoint:${name}`, name, ids: Object.fromEntries(ids) };
}

function numbered(ifindex: number, kind: InterfaceKind): NumberedInterface {
  return { ifindex, name: `if${ifindex}`, kind, addresses: [] };
}

/** Whose lists each interface has; of those without lists of their own `any` is responsible. */
function entriesOf(
  interfaces: readonly NumberedInterface[],
  own: Readonly<Record<number, HostLists>>,
  any?: HostLists,
): HostEntries {
  const byName = interfaces.map(({ ifindex, name, kind }) => [name, { kind, lists: own[ifindex] ?? any }] as const);
  return { byName: new Map(byName), others: { kind: 'host', lists: any } };
}

describe('the table of a host', () => {
  const eth0 = numbered(5, 'host');
  const pod = numbered(16, 'workload');

  it('asks for nothing where no endpoint is, workloads or not', () => {
    const table = buildHostTable(entriesOf([eth0, pod], {}), [eth0, pod], NOBODY);
    expect(table).toBe(NO_TABLE);
    expect([asksAnything(table), judgesTransit(table)]).toEqual([false, false]);
  });

  it.each([
    { scopes: ['normal'], flags: NORMAL, asked: ANY_LOCAL | ALL_TRACKED },
    { scopes: ['normal', 'forward'], flags: NORMAL | FORWARD, asked: ANY_LOCAL | ANY_FORWARD | ALL_TRACKED },
    { scopes: ['normal', 'preDnat'], flags: NORMAL | PRE_DNAT, asked: ANY_LOCAL | ANY_FORWARD | ALL_TRACKED },
    { scopes: ['normal', 'untracked'], flags: NORMAL | UNTRACKED, asked: ANY_LOCAL | ANY_FORWARD },
  ] as const)('has an interface ask for $scopes of its endpoint', ({ scopes, flags, asked }) => {
    const table = buildHostTable(entriesOf([eth0], { 5: listsOf('a', scopes) }), [eth0], NOBODY);
    expect(table.interfaces.get(5)?.flags).toBe(flags);
    expect(table.interfaces.get(5)?.ids[0]).toBe(10);
    expect(table.others).toEqual({ ...NO_LISTS, flags: asked });
    expect([asksAnything(table), judgesTransit(table)]).toEqual([true, false]);
  });

  it('names no interface that the endpoint for all is responsible for, and no loopback', () => {
    const loopback = numbered(1, 'loopback');
    const any = listsOf('any', ['normal']);
    const entries = entriesOf([loopback, eth0], {}, any);
    const table = buildHostTable(entries, [loopback, eth0], NOBODY);
    expect(table.interfaces).toEqual(new Map());
    expect(table.others).toEqual({ flags: NORMAL | ANY_LOCAL | ALL_TRACKED, ids: [20, 0, 0, 0] });
  });

  it('has workloads ask the endpoint for all interfaces, but not for its own and untracked lists', () => {
    const any = listsOf('any', ['normal', 'forward', 'preDnat', 'untracked']);
    const table = buildHostTable(entriesOf([pod], {}, any), [pod], NOBODY);
    expect(table.interfaces.get(16)).toEqual({ flags: WORKLOAD | FORWARD | PRE_DNAT, ids: [0, 21, 22, 0] });
    expect(table.others.ids).toEqual([20, 21, 22, 23]);
    expect(judgesTransit(table)).toBe(true);
  });

  it('has packets of workloads to the host dropped though no endpoint is there', () => {
    const table = buildHostTable(entriesOf([pod], {}), [pod], new Set([16]));
    expect(table.interfaces.get(16)).toEqual({ ...NO_LISTS, flags: WORKLOAD | DROP_LOCAL });
    expect(table.others.flags).toBe(ANY_LOCAL | ALL_TRACKED);
  });

  it('leaves out a list that the image has no number for', () => {
    const unknown: HostLists = { key: 'hostEndpoint:a', name: 'a', ids: { normal: 10, forward: undefined } };
    const table = buildHostTable(entriesOf([eth0], { 5: unknown }), [eth0], NOBODY);
    expect(table.interfaces.get(5)).toEqual({ flags: NORMAL, ids: [10, 0, 0, 0] });
  });

  it('is the same if the same is asked everywhere', () => {
    const build = (name: 'a' | 'any') =>
      buildHostTable(entriesOf([eth0], { 5: listsOf(name, ['normal']) }), [eth0], NOBODY);
    expect(isSameTable(build('a'), build('a'))).toBe(true);
    expect(isSameTable(build('a'), build('any'))).toBe(false);
  });
});

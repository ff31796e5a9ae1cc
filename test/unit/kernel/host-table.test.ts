import { describe, expect, it } from 'vitest';
import { HostFlags } from '../../../src/abi/host.gen.ts';
import type { ListPair, ResolvedHostEndpoint } from '../../../src/calc/resolved.ts';
import { buildHostTable, isSameTable, NO_LISTS } from '../../../src/kernel/host-table.ts';
import type { HostScope } from '../../../src/model/policy.ts';

const { NORMAL, FORWARD, PRE_DNAT, UNTRACKED, WORKLOAD, DROP_LOCAL, ANY_LOCAL, ANY_FORWARD } = HostFlags;

function resolved(name: string, scopes: readonly HostScope[]): ResolvedHostEndpoint {
  const list = { ingress: { direction: 'ingress' }, egress: { direction: 'egress' } } as unknown as ListPair;
  const pairs = Object.fromEntries(scopes.map((scope) => [scope, list]));
  return { endpoint: { name }, scopes: { normal: list, ...pairs } } as unknown as ResolvedHostEndpoint;
}

/** 10 and up for `a`, 20 and up for `any`, in the order of scopes. */
const ids = new Map(
  (['a', 'any'] as const).flatMap((name, at) =>
    (['normal', 'forward', 'preDnat', 'untracked'] as const).map((scope, place): [string, number] => [
      `hostEndpoint:${name}/${scope}`,
      10 * (at + 1) + place,
    ]),
  ),
);

describe('the table of a host', () => {
  it('asks for nothing where no endpoint is', () => {
    const table = buildHostTable({ interfaces: [], any: undefined, dropsToHost: false, ids });
    expect(table).toEqual({ interfaces: new Map(), others: NO_LISTS });
  });

  it.each([
    { scopes: ['normal'], flags: NORMAL, asked: ANY_LOCAL },
    { scopes: ['normal', 'forward'], flags: NORMAL | FORWARD, asked: ANY_LOCAL | ANY_FORWARD },
    { scopes: ['normal', 'preDnat'], flags: NORMAL | PRE_DNAT, asked: ANY_LOCAL | ANY_FORWARD },
    { scopes: ['normal', 'untracked'], flags: NORMAL | UNTRACKED, asked: ANY_LOCAL | ANY_FORWARD },
  ] as const)('has an interface ask for $scopes of its endpoint', ({ scopes, flags, asked }) => {
    const own = resolved('a', scopes);
    const table = buildHostTable({
      interfaces: [{ ifindex: 5, isWorkload: false, own }],
      any: undefined,
      dropsToHost: false,
      ids,
    });
    expect(table.interfaces.get(5)?.flags).toBe(flags);
    expect(table.interfaces.get(5)?.ids[0]).toBe(10);
    expect(table.others).toEqual({ ...NO_LISTS, flags: asked });
  });

  it('has workloads ask the endpoint for all interfaces, but not for its own and untracked lists', () => {
    const any = resolved('any', ['forward', 'preDnat', 'untracked']);
    const workload = { ifindex: 16, isWorkload: true, own: undefined };
    const table = buildHostTable({ interfaces: [workload], any, dropsToHost: false, ids });
    expect(table.interfaces.get(16)).toEqual({ flags: WORKLOAD | FORWARD | PRE_DNAT, ids: [0, 21, 22, 0] });
    expect(table.others.ids).toEqual([20, 21, 22, 23]);
  });

  it('has packets of workloads to the host dropped though no endpoint is there', () => {
    const workload = { ifindex: 16, isWorkload: true, own: undefined };
    const table = buildHostTable({ interfaces: [workload], any: undefined, dropsToHost: true, ids });
    expect(table.interfaces.get(16)).toEqual({ ...NO_LISTS, flags: WORKLOAD | DROP_LOCAL });
    expect(table.others.flags).toBe(ANY_LOCAL);
  });

  it('leaves out a list that the image has no number for', () => {
    const table = buildHostTable({
      interfaces: [{ ifindex: 5, isWorkload: false, own: resolved('unknown', ['forward']) }],
      any: undefined,
      dropsToHost: false,
      ids,
    });
    expect(table.interfaces.get(5)).toEqual(NO_LISTS);
  });

  it('is the same if the same is asked everywhere', () => {
    const build = (name: string) =>
      buildHostTable({
        interfaces: [{ ifindex: 5, isWorkload: false, own: resolved(name, []) }],
        any: resolved('any', []),
        dropsToHost: false,
        ids,
      });
    expect(isSameTable(build('a'), build('a'))).toBe(true);
    expect(isSameTable(build('a'), build('any'))).toBe(false);
  });
});

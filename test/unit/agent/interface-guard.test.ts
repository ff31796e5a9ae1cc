import { describe, expect, it } from 'vitest';
import type { EndpointStatus } from '../../../src/agent/endpoint-binder.ts';
import type { EnforcedEndpoint } from '../../../src/agent/endpoint-files.ts';
import { type GuardedInterfaces, InterfaceGuard } from '../../../src/agent/interface-guard.ts';

const READY: EndpointStatus = { endpoint: 'lab/red', interface: 'cali1', state: 'ready', reason: '' };
const WAITING: EndpointStatus = { endpoint: 'lab/blue', interface: 'cali2', state: 'waiting', reason: 'not there' };

function guardOf(statuses: readonly EndpointStatus[]) {
  const said: string[] = [];
  const link = {
    name: 'cali1',
    ifindex: 17,
    mac: '',
    mtu: 1500,
    up: true,
    kind: 'veth',
    peerMac: '',
    master: 0,
    lower: 0,
  };
  const interfaces: GuardedInterfaces = {
    links: new Map([['cali1', link]]),
    guard: () => new Map(),
    guardNew: () => new Map(),
    newNameOf: () => undefined,
  };
  const told: string[] = [];
  const names = (all: readonly EnforcedEndpoint[]): string => all.map((one) => `${one.endpoint} ${one.ifindex}`).join();
  const guard = new InterfaceGuard(
    interfaces,
    { error: (message) => void said.push(message) },
    { keep: (all) => void told.push(`keep ${names(all)}`), tell: (all) => void told.push(`tell ${names(all)}`) },
  );
  guard.guard(statuses, true);
  return { guard, said, told };
}

describe('endpoints that the tables have no place for', () => {
  const unplaced = new Map([[17, new Error('no free slot')]]);

  it('are in error until they have one, and it is said once', () => {
    const { guard, said } = guardOf([READY, WAITING]);
    guard.noteInForce(unplaced);
    guard.noteInForce(new Map(unplaced));
    expect(guard.statuses).toEqual([{ ...READY, state: 'error', reason: 'no free slot' }, WAITING]);
    expect(said).toHaveLength(1);
    guard.guard([READY, WAITING], true);
    expect(guard.statuses[0]).toMatchObject({ state: 'error' });
    guard.noteInForce(new Map());
    expect(guard.statuses).toEqual([READY, WAITING]);
  });

  it('leave the statuses as they are where there are none', () => {
    const { guard } = guardOf([READY]);
    const before = guard.statuses;
    guard.noteInForce(new Map());
    expect(guard.statuses).toBe(before);
  });
});

describe('who is told that an endpoint is enforced', () => {
  it('hears of it once policy is in force, and that it is not before a change', () => {
    const { guard, told } = guardOf([READY, WAITING]);
    expect(told).toEqual(['keep lab/red 17']);
    guard.noteInForce(new Map());
    expect(told.at(-1)).toBe('tell lab/red 17');
    guard.guard([{ ...READY, state: 'waiting' }, WAITING], false);
    expect(told.at(-1)).toBe('keep ');
  });

  it('does not hear of one that has no place in the tables', () => {
    const { guard, told } = guardOf([READY]);
    guard.noteInForce(new Map([[17, new Error('no free slot')]]));
    expect(told.at(-1)).toBe('tell ');
  });
});

// An arena's network as batch lines; no namespace is made here.
import { describe, expect, it } from 'vitest';
import { completeGuests, planArena } from '../../../src/bench/arena-plan.ts';

const GUESTS = completeGuests([
  { name: 'web', hostInterface: 'caliweb', addresses: ['10.65.0.2', 'fd00:65::2'], mac: '02:00:00:00:00:02' },
  { name: 'db', hostInterface: 'calidb', addresses: ['10.65.0.3'], namespace: 'shared' },
  { name: 'world', hostInterface: 'uplink', addresses: [], namespace: 'shared', isOutside: true },
]);
const PLAN = planArena(GUESTS, (name) => `tortie-bench-x-${name}`);

describe('completeGuests', () => {
  it('gives a guest a namespace of its own unless it shares one, and a device for each in it', () => {
    expect(GUESTS.map(({ namespace, device }) => [namespace, device])).toEqual([
      ['web', 'eth0'],
      ['shared', 'eth0'],
      ['shared', 'eth1'],
    ]);
  });

  it('makes up a different MAC for each guest that has none', () => {
    const macs = completeGuests(
      Array.from({ length: 300 }, (_, index) => ({ name: `${index}`, hostInterface: `c${index}`, addresses: [] })),
    );
    expect(new Set(macs.map(({ mac }) => mac)).size).toBe(300);
  });
});

describe('planArena', () => {
  it('puts the guest side of a pair straight into its namespace', () => {
    expect(PLAN.routerLinks).toContain(
      'link add caliweb address ee:ee:ee:ee:ee:ee type veth peer name eth0 address 02:00:00:00:00:02 netns tortie-bench-x-web',
    );
  });

  it('routes each address out of its own interface, to a neighbour that needs no finding', () => {
    expect(PLAN.routerRoutes).toContain('route add 10.65.0.2/32 dev caliweb');
    expect(PLAN.routerRoutes).toContain('neigh replace fd00:65::2 lladdr 02:00:00:00:00:02 dev caliweb nud permanent');
  });

  it('sends what is nobody else’s outside', () => {
    expect(PLAN.routerRoutes.filter((line) => line.includes('default'))).toEqual([
      'route add default via 169.254.1.2 dev uplink onlink',
      'route add default via fe80::2 dev uplink onlink',
    ]);
  });

  it('waits for no duplicate address detection', () => {
    expect(PLAN.guests.get('web')).toContain('addr add fd00:65::2/128 dev eth0 nodad');
  });
});

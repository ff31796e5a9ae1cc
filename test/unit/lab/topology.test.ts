// The lab's network as batch lines; no namespace is made here.
import { describe, expect, it } from 'vitest';
import { type LabSpec, planTopology, planWorkload } from '../../../tools/lab/topology.ts';

const SPEC: LabSpec = {
  workloads: [
    { name: 'web', hostInterface: 'caliweb', addresses: ['10.65.0.2', 'fd00:65::2'], mac: '02:00:00:00:00:02' },
  ],
  outsiders: [
    { name: 'office', hostInterface: 'eth0', subnets: [{ host: '192.0.2.1/24', outsider: '192.0.2.10/24' }] },
  ],
};

const plan = planTopology(SPEC, (name) => `tt1-0.1-${name}`);

describe('planTopology', () => {
  it('puts the workload side of the veth pair straight into its namespace', () => {
    expect(plan.hostLinks).toContain(
      'link add caliweb address ee:ee:ee:ee:ee:ee type veth peer name eth0 address 02:00:00:00:00:02 netns tt1-0.1-web',
    );
  });

  it('routes each workload address out of its own interface', () => {
    expect(plan.hostRoutes).toEqual(['route add 10.65.0.2/32 dev caliweb', 'route add fd00:65::2/128 dev caliweb']);
  });

  it('gives a workload the link-local gateways of both families, on-link routes first', () => {
    const lines = plan.guests.get('web') ?? [];
    expect(lines.slice(-3)).toEqual([
      'route add 169.254.1.1 dev eth0 scope link',
      'route add 0.0.0.0/0 via 169.254.1.1 dev eth0',
      'route add ::/0 via fe80::ecee:eeff:feee:eeee dev eth0',
    ]);
  });

  it('waits for no duplicate address detection', () => {
    const added = [...plan.hostLinks, ...(plan.guests.get('web') ?? [])].filter((line) => /addr add .*:/.test(line));
    expect(added).toHaveLength(4);
    expect(added.every((line) => line.endsWith(' nodad'))).toBe(true);
  });

  it('gives an outsider a subnet shared with the host, and the host as its gateway', () => {
    expect(plan.hostLinks).toContain('addr add 192.0.2.1/24 dev eth0');
    expect(plan.guests.get('office')).toEqual([
      'link set lo up',
      'link set eth0 up',
      'addr add 192.0.2.10/24 dev eth0',
      'route add 0.0.0.0/0 via 192.0.2.1 dev eth0',
    ]);
  });

  it('leaves out the interface of a workload that is not plugged, not its namespace', () => {
    const unplugged = SPEC.workloads.map((workload) => ({ ...workload, isUnplugged: true }));
    const later = planTopology({ ...SPEC, workloads: unplugged }, (name) => `tt1-0.1-${name}`);
    expect(later.guests.get('web')).toEqual([]);
    expect(later.hostRoutes).toEqual([]);
    expect(later.hostLinks.join('\n')).not.toContain('caliweb');
  });
});

describe('planWorkload', () => {
  it('is what planTopology says of the workload', () => {
    const [web] = SPEC.workloads;
    const alone = planWorkload(web as (typeof SPEC.workloads)[number], 'tt1-0.1-web');
    expect(plan.hostLinks).toEqual(expect.arrayContaining([...alone.hostLinks]));
    expect(plan.guests.get('web')).toEqual(alone.guest);
    expect(plan.hostRoutes).toEqual(alone.hostRoutes);
  });
});

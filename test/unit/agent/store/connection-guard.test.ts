import { describe, expect, it } from 'vitest';
import type { Lookout } from '../../../../src/agent/protect/lookout.ts';
import { cutCheck, type GuardedHost } from '../../../../src/agent/store/connection-guard.ts';
import { lifelinesOf } from '../../../../src/analysis/protect/lifelines.ts';
import type { World } from '../../../../src/model/world.ts';
import { address } from '../../../support/protect/observations.ts';
import { worldFrom } from '../../../support/world-from.ts';

const API = 'projectcalico.org/v3';
const ENDPOINT = {
  kind: 'HostEndpoint',
  metadata: { name: 'all', labels: { role: 'host' } },
  spec: { node: 'a', interfaceName: '*' },
};
const policy = (name: string, ingress: readonly object[]): object => ({
  kind: 'GlobalNetworkPolicy',
  metadata: { name },
  spec: { selector: "role == 'host'", ingress },
});
const worldOf = (...objects: readonly object[]): World =>
  worldFrom(objects.map((one) => JSON.stringify({ apiVersion: API, ...one })).join('\n---\n'));
const EMPTY = worldOf({ kind: 'Tier', metadata: { name: 'a' } });
const CLOSED = worldOf(ENDPOINT);
const OPEN = worldOf(ENDPOINT, policy('open', [{ action: 'Allow' }]));

const INTERFACES = [{ name: 'eth0', kind: 'host' as const, addresses: [address('192.0.2.1')] }];
const SESSION = { client: address('198.51.100.7'), clientPort: 50_000, server: address('192.0.2.1'), serverPort: 2222 };
const LOOKOUT: Lookout = {
  lifelines: lifelinesOf({
    interfaces: INTERFACES,
    sessions: [{ what: 'the SSH session that it was sent from', ...SESSION }],
    dhcp: [],
    interfaceTo: () => 'eth0',
  }),
  interfaces: INTERFACES,
  isLocal: () => true,
};

/** Counts how often the machine is looked at. */
class Host implements GuardedHost {
  readonly world: World;
  looks = 0;

  constructor(world: World) {
    this.world = world;
  }

  lookOut(): Lookout {
    this.looks += 1;
    return LOOKOUT;
  }
}

describe('cutCheck', () => {
  it.each([
    ['the first endpoint of the host, without policy', EMPTY, CLOSED, true],
    ['the last rule that allowed it', OPEN, CLOSED, true],
    ['a rule that allows it as well', EMPTY, OPEN, false],
    [
      'another change of what is cut already',
      CLOSED,
      worldOf(ENDPOINT, policy('p', [{ action: 'Allow', protocol: 'UDP' }])),
      false,
    ],
    ['what gives it back', CLOSED, OPEN, false],
  ])('weighs %s', (_name, before, after, isCut) => {
    const check = cutCheck(new Host(before), {});
    if (isCut) {
      expect(() => check(after)).toThrow(
        /^apply change: would cut the SSH session that it was sent from: found TCP 198\.51\.100\.7:50000/,
      );
      expect(() => check(after)).toThrow(expect.objectContaining({ code: 'CUTS_CONNECTION' }));
    } else expect(() => check(after)).not.toThrow();
  });

  it('does not look at a machine without endpoints of its own', () => {
    const host = new Host(EMPTY);
    cutCheck(host, {})(EMPTY);
    expect(host.looks).toBe(0);
  });
});

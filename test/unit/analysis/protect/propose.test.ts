import { describe, expect, it } from 'vitest';
import { lintManifests } from '../../../../src/analysis/lint/lint.ts';
import type { HostObservation } from '../../../../src/analysis/protect/observation.ts';
import { deniedFlows } from '../../../../src/analysis/protect/preview.ts';
import { manifestOfProposed } from '../../../../src/analysis/protect/proposal.ts';
import { proposalText } from '../../../../src/analysis/protect/proposal-text.ts';
import { type ProposalOptions, proposeProtection } from '../../../../src/analysis/protect/propose.ts';
import { parseCidr } from '../../../../src/model/address.ts';
import { buildWorld } from '../../../../src/model/build-world.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { parseFullYaml } from '../../../../src/resources/yaml/full-yaml.ts';
import { machine, seenFlow } from '../../../support/protect/observations.ts';

const BUSY = machine({
  listeners: [
    'tcp 0.0.0.0 22 sshd',
    'tcp :: 22 sshd',
    'tcp :: 443 nginx',
    'udp :: 443 nginx',
    'tcp 192.0.2.1 5432 postgres',
    'tcp :: 9100 node_exporter',
    'tcp 192.0.2.1 25 postfix',
    'tcp 2001:db8::1 25 postfix',
    'tcp 127.0.0.1 6379 redis',
    'tcp 0.0.0.0 8080 docker-proxy',
    'udp 0.0.0.0 68 dhclient',
    'udp fe80::1 546 dhclient',
    'udp 0.0.0.0 41000 resolver',
    'udp 0.0.0.0 51820',
    'udp 127.0.0.1 323 chronyd',
  ],
  flows: [
    'in tcp 192.0.2.1 22 198.51.100.7 50000 sshd',
    'in tcp 192.0.2.1 443 203.0.113.5 40000 nginx',
    'in tcp 192.0.2.1 5432 192.0.2.7 40000 postgres',
    'in tcp 192.0.2.1 5432 192.0.2.8 40001 postgres',
    'out tcp 192.0.2.1 40000 203.0.113.80 80 apt',
    'out udp 192.0.2.1 40001 192.0.2.53 53 resolver',
    'out udp 192.0.2.1 40002 203.0.113.123 123 chronyd',
    'out tcp 2001:db8::1 40003 2001:db8:9::9 443 curl',
  ],
});

const OPTIONS: readonly (readonly [string, ProposalOptions])[] = [
  ['services as seen', {}],
  ['egress as seen', { egress: 'seen' }],
  ['SSH only', { preset: 'ssh-only' }],
  ['web', { preset: 'web', egress: 'seen' }],
  [
    'SSH from one network',
    { sshFrom: [parseCidr('198.51.100.0/24'), parseCidr('2001:db8:5::/48')].filter((net) => net !== undefined) },
  ],
  ['one interface', { interfaces: ['eth0'] }],
];
const MACHINES: readonly (readonly [string, HostObservation])[] = [
  ['a busy machine', BUSY],
  ['an idle one', machine()],
  ['a bare one', machine({}, { sessions: [], nameServers: [], interfaces: [] })],
  ['a router', machine({}, { isForwarding: true })],
];
const CASES = MACHINES.flatMap(([name, seen]) => OPTIONS.map(([how, options]) => ({ name, seen, how, options })));

/** Of flows that are begun anew, which it would let pass. */
function passes(flows: readonly string[], options: ProposalOptions = {}, seen = BUSY): boolean[] {
  const { resources } = parseDocuments(proposalText(proposeProtection(seen, options)), 'proposal.yaml');
  const { world } = buildWorld(resources);
  const host = { interfaces: seen.interfaces, isLocal: () => true, interfaceTo: () => 'eth0' };
  return flows.map((flow) => deniedFlows(world, [seenFlow(flow)], host).length === 0);
}

describe('a proposal', () => {
  it.each(CASES)('is valid and lints clean: $name, $how', ({ seen, options }) => {
    const { resources, errors } = parseDocuments(proposalText(proposeProtection(seen, options)), 'proposal.yaml');
    const hosts = seen.interfaces.length === 0 ? undefined : { node: 'web-1', interfaces: seen.interfaces };
    expect([...errors, ...buildWorld(resources).errors].map(String)).toEqual([]);
    expect(lintManifests(resources, errors, hosts).findings).toEqual([]);
  });

  it.each(CASES)('reads as what it was written from: $name, $how', ({ seen, options }) => {
    const proposal = proposeProtection(seen, options);
    const values = parseFullYaml(proposalText(proposal)).map(({ value }) => value);
    expect(values).toEqual(proposal.objects.map(manifestOfProposed));
  });

  it.each(CASES)('says why of every object and every rule: $name, $how', ({ seen, options }) => {
    const { objects } = proposeProtection(seen, options);
    const rules = objects.flatMap((object) => Object.values(object.rules ?? {}).flat());
    expect([...objects, ...rules].filter(({ why }) => why.length === 0 || why.includes(''))).toEqual([]);
  });

  it('is the same in whatever order the machine was seen', () => {
    const turned = { ...BUSY, listeners: [...BUSY.listeners].reverse(), flows: [...BUSY.flows].reverse() };
    for (const [, options] of OPTIONS) {
      expect(proposalText(proposeProtection(turned, options))).toBe(proposalText(proposeProtection(BUSY, options)));
    }
  });

  it('lets pass what was seen, and nothing beside it', () => {
    expect(
      passes([
        'in tcp 192.0.2.1 22 203.0.113.99 40000',
        'in tcp 192.0.2.1 443 203.0.113.99 40000',
        'in udp 2001:db8::1 443 2001:db8:9::9 40000',
        'in udp 192.0.2.1 51820 203.0.113.99 51820',
        'in tcp 192.0.2.1 5432 192.0.2.8 40000',
        'out tcp 192.0.2.1 40000 203.0.113.99 4444',
      ]),
    ).toEqual(Array(6).fill(true));
    expect(
      passes([
        'in tcp 192.0.2.1 5432 192.0.2.9 40000',
        'in tcp 192.0.2.1 9100 192.0.2.7 40000',
        'in tcp 192.0.2.1 6379 192.0.2.7 40000',
        'in tcp 192.0.2.1 80 203.0.113.99 40000',
        'in udp 192.0.2.1 41000 203.0.113.99 53',
      ]),
    ).toEqual(Array(5).fill(false));
  });

  it('keeps the machine to what it was seen to do, and to what it needs', () => {
    const options = { egress: 'seen' } as const;
    expect(
      passes(
        [
          'out tcp 192.0.2.1 40000 203.0.113.80 80',
          'out tcp 2001:db8::1 40000 2001:db8:9::9 443',
          'out tcp 192.0.2.1 40000 192.0.2.53 53',
          'out udp 192.0.2.1 40000 203.0.113.200 123',
          'out udp fe80::1 546 ff02::1:2 547',
        ],
        options,
      ),
    ).toEqual(Array(5).fill(true));
    expect(
      passes(
        [
          'out tcp 192.0.2.1 40000 203.0.113.81 80',
          'out tcp 192.0.2.1 40000 203.0.113.80 443',
          'out tcp 192.0.2.1 40000 203.0.113.200 123',
        ],
        options,
      ),
    ).toEqual([false, false, false]);
  });

  it('opens with a preset nothing but that', () => {
    const flows = ['22', '80', '443', '5432'].map((port) => `in tcp 192.0.2.1 ${port} 192.0.2.8 40000`);
    expect(passes(flows, { preset: 'ssh-only' })).toEqual([true, false, false, false]);
    expect(passes(flows, { preset: 'web' })).toEqual([true, true, true, false]);
  });

  it('opens SSH where it is: by its name, by sessions, and only from where it is asked to', () => {
    const seen = machine({ listeners: ['tcp 0.0.0.0 2222 sshd'] }, { sessions: [] });
    const flows = ['in tcp 192.0.2.1 2222 203.0.113.1 40000', 'in tcp 192.0.2.1 2222 198.51.100.1 40000'];
    expect(passes(flows, { preset: 'ssh-only' }, seen)).toEqual([true, true]);
    const [session] = BUSY.sessions;
    const moved = machine({}, { sessions: session === undefined ? [] : [{ ...session, serverPort: 2022 }] });
    expect(passes(['in tcp 192.0.2.1 2022 203.0.113.1 40000'], {}, moved)).toEqual([true]);
    const sshFrom = [parseCidr('198.51.100.0/24')].filter((net) => net !== undefined);
    expect(passes(flows, { sshFrom }, seen)).toEqual([false, true]);
  });

  it('says that a failsafe port stays open, unless it is none', () => {
    const text = (settings?: ProposalOptions['settings']): string =>
      proposalText(proposeProtection(machine(), { preset: 'ssh-only', settings }));
    expect(text()).toContain('TCP 22 is a failsafe port besides');
    const settings = { failsafes: { ingress: [], egress: [] }, endpointToHost: 'drop' } as const;
    expect(text(settings)).not.toContain('failsafe');
  });

  it('lists what it closes, and what it does not cover', () => {
    const text = proposalText(proposeProtection(BUSY));
    expect(text).toContain('# Closed: tcp-9100 (TCP 9100, node_exporter), which nobody was seen to use.');
    expect(text).toContain('# not covered: TCP 8080 is published by Docker and forwarded to a container');
  });

  it('gives up lists of clients that are too long', () => {
    const flows = Array.from({ length: 300 }, (_, at) => `in tcp 192.0.2.1 5432 198.18.${at >> 8}.${at & 255} 40000`);
    const seen = machine({ listeners: ['tcp 0.0.0.0 5432 postgres'], flows });
    const text = proposalText(proposeProtection(seen));
    expect(text).toContain('for everybody: 300 different addresses were seen to use it');
    expect(text).not.toContain('GlobalNetworkSet');
  });
});

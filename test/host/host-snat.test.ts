// Source translation by the host's own nftables, with a running agent: policy sees who sent a packet, not who it is made to look like;
// untracked policy sees what is on the wire.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HOST } from '../../tools/lab/namespaces.ts';
import { PATIENCE } from '../../tools/lab/patience.ts';
import { hostEndpoint, hostPolicy } from './support/host-policies.ts';
import { CLIENT, FAMILIES, GATE, HostStage, PORT, SERVER } from './support/host-stage.ts';

/** The host behind hepout, and what it is made to look like there. */
const FAR_GATE = { v4: '198.51.100.1', v6: '2001:db8:2::1' } as const;
const SNAT = { v4: '198.51.100.77', v6: '2001:db8:2::77' } as const;
/** What those who come in by hepin are made to look like. */
const MASK = { v4: '203.0.113.5', v6: '2001:db8:3::5' } as const;
const IN = hostEndpoint('in', { interfaceName: 'hepin' });
const OUT = hostEndpoint('out', { interfaceName: 'hepout' });
const net = (address: string): string => `${address}/${address.includes(':') ? 128 : 32}`;

describe('source translation', { timeout: 60_000 * PATIENCE }, () => {
  let stage: HostStage;

  beforeAll(async () => {
    stage = await HostStage.create();
    await stage.start();
    // Deprecated: nothing is sent from it unless by translation.
    await stage.ip('address', 'add', net(SNAT.v4), 'dev', 'hepout', 'preferred_lft', '0');
    await stage.ip('address', 'add', net(SNAT.v6), 'dev', 'hepout', 'preferred_lft', '0', 'nodad');
    await stage.ip('route', 'add', MASK.v4, 'dev', 'hepin');
    await stage.ip('route', 'add', MASK.v6, 'dev', 'hepin');
  });

  afterEach(async () => {
    await nft('flush ruleset');
    await stage.apply();
  });

  afterAll(async () => {
    await stage?.clear();
    await stage?.close();
  });

  const nft = (rules: string): Promise<unknown> => stage.setting.lab.exec(HOST, ['nft', '-f', '-'], rules);
  const chain = (family: 'v4' | 'v6', text: string): Promise<unknown> =>
    nft(`table ${family === 'v4' ? 'ip' : 'ip6'} lab { chain lab { type nat ${text}\n}\n}`);
  const outward = (family: 'v4' | 'v6'): Promise<unknown> =>
    chain(family, `hook postrouting priority srcnat; oifname "hepout" snat to ${SNAT[family]}`);

  /** The answer once that policy is in force. */
  async function answers(policy: object, from: string, to: string): Promise<string> {
    await stage.apply(IN, OUT, policy);
    return stage.knock(from, to);
  }

  it.each(FAMILIES)('of what is forwarded comes after policy for that (%s)', async (family) => {
    await outward(family);
    const from = (source: string, direction: 'ingress' | 'egress'): object =>
      hostPolicy({
        name: 'forwarded',
        selector: `host == '${direction === 'ingress' ? 'in' : 'out'}'`,
        applyOnForward: true,
        [direction]: [{ action: 'Allow', source: { nets: [net(source)] } }],
      });
    for (const direction of ['ingress', 'egress'] as const) {
      expect(await answers(from(CLIENT[family], direction), 'client', SERVER[family])).toBe('open');
      expect(await answers(from(SNAT[family], direction), 'client', SERVER[family])).toBe('timeout');
    }
  });

  it.each(FAMILIES)('of what the host sends comes after its policy (%s)', async (family) => {
    await outward(family);
    const from = (source: string): object =>
      hostPolicy({ name: 'own', egress: [{ action: 'Allow', source: { nets: [net(source)] } }] });
    const taken = await stage.setting.lab.exec(HOST, ['ip', 'route', 'get', SERVER[family]]);
    expect(taken.stdout).toContain(`src ${FAR_GATE[family]}`);
    expect(await answers(from(FAR_GATE[family]), HOST, SERVER[family])).toBe('open');
    expect(await answers(from(SNAT[family]), HOST, SERVER[family])).toBe('timeout');
  });

  it.each(FAMILIES)('of what comes to the host comes after its policy (%s)', async (family) => {
    await chain(family, `hook input priority 100; iifname "hepin" snat to ${MASK[family]}`);
    const from = (source: string): object =>
      hostPolicy({ name: 'own', ingress: [{ action: 'Allow', source: { nets: [net(source)] } }] });
    expect(await answers(from(CLIENT[family]), 'client', GATE[family])).toBe('open');
    expect(await answers(from(MASK[family]), 'client', GATE[family])).toBe('timeout');
  });

  it.each(FAMILIES)('is undone after untracked policy has seen the answer (%s)', async (family) => {
    await outward(family);
    const denied = (destination: string): object =>
      hostPolicy({
        name: 'untracked',
        applyOnForward: true,
        doNotTrack: true,
        ingress: [
          { action: 'Deny', protocol: 'TCP', source: { ports: [PORT] }, destination: { nets: [net(destination)] } },
        ],
      });
    expect(await answers(denied(SNAT[family]), 'client', SERVER[family])).toBe('timeout');
    expect(await answers(denied(CLIENT[family]), 'client', SERVER[family])).toBe('open');
  });
});

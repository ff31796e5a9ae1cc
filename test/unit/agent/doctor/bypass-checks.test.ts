import { describe, expect, it } from 'vitest';
import { BYPASS_CHECKS } from '../../../../src/agent/doctor/bypass-checks.ts';
import { CHECKS } from '../../../../src/agent/doctor/checks.ts';
import { type MachineFacts, machineWith } from '../../../support/agent/machine-facts.ts';

async function judge(id: string, facts: MachineFacts = {}) {
  return await BYPASS_CHECKS.find((check) => check.id === id)?.run(machineWith(facts));
}

const HEAD = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
`;
const services = (...lines: readonly string[]): MachineFacts => ({
  files: { '/proc/net/ip_vs': `${HEAD}${lines.join('\n')}\n` },
});
const rules = (...objects: readonly object[]): MachineFacts => ({
  outputs: { 'nft -j list ruleset': JSON.stringify({ nftables: [{ metainfo: {} }, ...objects] }) },
});
const flowtable = (name: string) => ({
  flowtable: { family: 'inet', name, table: 'fw', handle: 2, hook: 'ingress', prio: 0, dev: ['eth0', 'eth1'] },
});

describe('checks of ways past the hooks of the host', () => {
  it('are among those of the doctor, and content with a healthy machine', async () => {
    for (const check of BYPASS_CHECKS) {
      expect(CHECKS).toContain(check);
      expect(await check.run(machineWith()), check.id).toMatchObject({ level: 'ok' });
    }
  });

  it.each<[string, string, MachineFacts, string, RegExp]>([
    ['a flowtable', 'flowtables', rules(flowtable('fast')), 'warn', /^inet fw fast$/],
    ['rules without one', 'flowtables', rules({ table: { family: 'inet', name: 'fw' } }), 'ok', /none/],
    ['no nft', 'flowtables', { outputs: { 'nft -j list ruleset': undefined } }, 'skip', /nft/],
    [
      'services of IPVS',
      'ipvs',
      services(
        'TCP  0A600001:01BB rr ',
        '  -> 0A410002:01BB      Masq    1      0          0',
        'UDP  0A60000A:0035 rr ',
      ),
      'warn',
      /^TCP 0A600001:01BB, UDP 0A60000A:0035$/,
    ],
    [
      'many of them',
      'ipvs',
      services(...Array.from({ length: 7 }, (_, index) => `TCP  0A60000${index}:0050 rr`)),
      'warn',
      /, and 2 more$/,
    ],
    ['IPVS without services', 'ipvs', services(), 'ok', /no services/],
  ])('judge %s', async (_, id, facts, level, found) => {
    expect(await judge(id, facts)).toMatchObject({ level, found: expect.stringMatching(found) });
  });
});

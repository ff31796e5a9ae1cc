import { describe, expect, it } from 'vitest';
import type { ClockFacts } from '../../../../src/agent/doctor/finding.ts';
import { KERNEL_CHECKS } from '../../../../src/agent/doctor/kernel-checks.ts';
import { type MachineFacts, machineWith } from '../../../support/agent/machine-facts.ts';

const SYS = '/proc/sys';

async function judge(id: string, facts: MachineFacts = {}) {
  return await KERNEL_CHECKS.find((check) => check.id === id)?.run(machineWith(facts));
}

describe('checks of the kernel', () => {
  it('find nothing wrong with a healthy machine', async () => {
    for (const { id } of KERNEL_CHECKS) expect(await judge(id), id).toMatchObject({ level: 'ok' });
  });

  it.each<[string, string, string | undefined, string, RegExp]>([
    ['bpffs', '/proc/mounts', 'none /elsewhere bpf rw 0 0', 'fail', /mount -t bpf/],
    ['cgroup2', '/proc/mounts', 'bpf /sys/fs/bpf bpf rw 0 0', 'warn', /mount -t cgroup2/],
    ['tracefs', '/proc/mounts', '', 'warn', /mount -t tracefs/],
    ['capabilities', '/proc/self/status', 'CapEff:\t0000000000001000\n', 'fail', /CapabilityBoundingSet/],
    ['forwarding', `${SYS}/net/ipv4/ip_forward`, '0\n', 'fail', /net\.ipv4\.ip_forward=1$/],
    ['forwarding', `${SYS}/net/ipv6/conf/all/forwarding`, '0\n', 'warn', /net\.ipv6\.conf\.all\.forwarding=1$/],
    ['rp_filter', `${SYS}/net/ipv4/conf/all/rp_filter`, '1\n', 'warn', /conf\.all\.rp_filter=2/],
    ['rp_filter', `${SYS}/net/ipv4/conf/calia/rp_filter`, '1\n', 'warn', /conf\.calia\.rp_filter=2/],
    ['route_localnet', `${SYS}/net/ipv4/conf/eth0/route_localnet`, '1\n', 'warn', /conf\.eth0\.route_localnet=0/],
    ['bpf_jit', `${SYS}/net/core/bpf_jit_enable`, '0\n', 'warn', /bpf_jit_enable=1/],
    ['unprivileged_bpf', `${SYS}/kernel/unprivileged_bpf_disabled`, '0\n', 'warn', /unprivileged_bpf_disabled=2/],
    ['conntrack', `${SYS}/net/netfilter/nf_conntrack_count`, '850\n', 'warn', /nf_conntrack_max=2000/],
    ['conntrack', `${SYS}/net/netfilter/nf_conntrack_count`, '960\n', 'fail', /nf_conntrack_max=2000/],
    ['clocks', '/sys/devices/system/clocksource/clocksource0/current_clocksource', 'hpet\n', 'warn', /clocksource0/],
  ])('%s: where %s says %j it is %s, with a hint', async (id, path, text, level, hint) => {
    const judgement = await judge(id, { files: { [path]: text } });
    expect(judgement).toMatchObject({ level, hint: expect.stringMatching(hint) });
  });

  // The kernel takes the larger of the common setting and the interface's: 1 = strict, 2 = loose.
  it.each([
    ['2', '1', '1', 'ok', /nowhere 1/],
    ['1', '2', '2', 'ok', /nowhere 1/],
    ['1', '2', '0', 'warn', /^rp_filter 1 on all:/],
    ['1', '1', '2', 'warn', /^rp_filter 1 on all, eth0:/],
    ['0', '1', '2', 'warn', /^rp_filter 1 on eth0:/],
    ['0', '2', '0', 'ok', /nowhere 1/],
  ])(
    'takes rp_filter %s for all, %s and %s on interfaces as the kernel does',
    async (all, eth0, calia, level, found) => {
      const values = { all, eth0, calia, lo: '0' };
      const files = Object.entries(values).map(([name, value]) => [
        `${SYS}/net/ipv4/conf/${name}/rp_filter`,
        name === 'lo' && all === '1' ? '2\n' : `${value}\n`,
      ]);
      const judgement = await judge('rp_filter', { files: Object.fromEntries(files) });
      expect(judgement).toMatchObject({ level, found: expect.stringMatching(found) });
    },
  );

  it.each([
    ['bpffs', '/proc/mounts'],
    ['capabilities', '/proc/self/status'],
    ['bpf_jit', `${SYS}/net/core/bpf_jit_enable`],
    ['conntrack', `${SYS}/net/netfilter/nf_conntrack_max`],
  ])('%s is skipped where %s cannot be read', async (id, path) => {
    expect(await judge(id, { files: { [path]: undefined } })).toMatchObject({ level: 'skip' });
  });

  it.each<[string, Partial<ClockFacts>, string, RegExp]>([
    ['a wall clock of the past', { nowMs: 0 }, 'fail', /1970/],
    ['a wall clock that jumps ahead', { wallMs: 5300 }, 'fail', /went 5300 ms in 300 ms/],
    ['a wall clock that jumps back', { wallMs: -2000 }, 'fail', /went -2000 ms/],
    ['a machine that slept', { bootSeconds: 160 }, 'ok', /slept 60 s/],
  ])('finds %s', async (_, clocks, level, found) => {
    const healthy = await machineWith().clocks();
    const judgement = await judge('clocks', { clocks: async () => ({ ...healthy, ...clocks }) });
    expect(judgement).toMatchObject({ level, found: expect.stringMatching(found) });
  });
});

// A machine as the doctor sees it, made of plain facts: a healthy one, with what a test says otherwise.
import type { Machine } from '../../../src/agent/doctor/finding.ts';

export interface MachineFacts extends Partial<Omit<Machine, 'read' | 'run'>> {
  readonly files?: Readonly<Record<string, string | undefined>>;
  /** Output by command line. */
  readonly outputs?: Readonly<Record<string, string | undefined>>;
}

const HEALTHY_FILES: Readonly<Record<string, string>> = {
  '/proc/mounts':
    'bpf /sys/fs/bpf bpf rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\nt /sys/kernel/tracing tracefs rw 0 0\n',
  '/proc/self/status': 'Name:\tnode\nCapEff:\t000001ffffffffff\n',
  '/proc/self/limits': 'Max open files            65536                65536                files\n',
  '/proc/net/dev': 'Inter-|\n face |\n    lo: 0 0\n  eth0: 0 0\ncalia: 0 0\n',
  '/proc/sys/fs/file-nr': '1000\t0\t100000\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/ipv6/conf/all/forwarding': '1\n',
  '/proc/sys/net/ipv4/conf/all/rp_filter': '0\n',
  '/proc/sys/net/ipv4/conf/all/route_localnet': '0\n',
  '/proc/sys/net/core/bpf_jit_enable': '1\n',
  '/proc/sys/kernel/unprivileged_bpf_disabled': '2\n',
  '/proc/sys/net/netfilter/nf_conntrack_count': '10\n',
  '/proc/sys/net/netfilter/nf_conntrack_max': '1000\n',
  '/sys/devices/system/clocksource/clocksource0/current_clocksource': 'tsc\n',
};

const HEALTHY_OUTPUTS: Readonly<Record<string, string>> = {
  'nft -j list ruleset': '{"nftables":[{"metainfo":{}}]}',
  'iptables-save': '',
  'ip -j -d link': JSON.stringify([
    { ifname: 'eth0', mtu: 1500 },
    { ifname: 'calia', mtu: 1500, linkinfo: { info_kind: 'veth' } },
  ]),
  'ip -j route show default': '[{"dst":"default","dev":"eth0"}]',
  'tc -j filter show dev calia ingress': '[]',
  'tc -j filter show dev calia egress': '[]',
};

export function machineWith({ files = {}, outputs = {}, ...others }: MachineFacts = {}): Machine {
  const texts: Readonly<Record<string, string | undefined>> = { ...HEALTHY_FILES, ...files };
  const said: Readonly<Record<string, string | undefined>> = { ...HEALTHY_OUTPUTS, ...outputs };
  return {
    places: {
      bpffs: '/sys/fs/bpf',
      pinRoot: '/sys/fs/bpf/tortie',
      stateDirectory: '/state',
      socket: '/run/agent.sock',
    },
    read: (path) => texts[path],
    run: async (...argv) => said[argv.join(' ')],
    stat: (path) => ({ uid: 0, mode: path === '/state' ? 0o700 : 0o600, isDirectory: path === '/state' }),
    disk: () => ({ freeBytes: 2 ** 34, totalBytes: 2 ** 35, freeInodes: 10_000 }),
    clocks: async () => ({
      wallMs: 300,
      steadyMs: 300,
      nowMs: Date.UTC(2026, 5, 1),
      bootSeconds: 100,
      monotonicSeconds: 100,
    }),
    programs: () => ['ingress', 'egress'].map((direction) => ({ name: 'calia', direction, ids: [7], ours: 7 })),
    generation: () => 5,
    status: async () => undefined,
    tables: async () => undefined,
    ...others,
  };
}

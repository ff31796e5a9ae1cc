// Checks of what the kernel is and how it is set: mounts, capabilities, sysctls, clocks, connection tracking.
import { type Check, fail, type Judgement, type Machine, ok, skip, warn } from './finding.ts';

/** Bits of linux/capability.h that the agent's unit has. */
const CAPABILITIES: Readonly<Record<string, number>> = { CAP_NET_ADMIN: 12, CAP_PERFMON: 38, CAP_BPF: 39 };

/** When this code was written: no machine that runs it has an earlier clock. */
const EARLIEST_MS = Date.UTC(2025, 0, 1);
/** Clock sources that cost a system call or worse at each reading. */
const SLOW_CLOCKS: ReadonlySet<string> = new Set(['hpet', 'acpi_pm', 'jiffies', 'refined-jiffies']);
const LARGEST_DRIFT_MS = 50;

export const KERNEL_CHECKS: readonly Check[] = [
  { id: 'bpffs', checked: 'a BPF file system is mounted, or pins do not outlive the agent', run: checkBpffs },
  {
    id: 'cgroup2',
    checked: 'cgroup v2 is mounted, where connections of the host are seen',
    run: (machine) => checkMount(machine, 'cgroup2', 'mount -t cgroup2 none /sys/fs/cgroup'),
  },
  {
    id: 'tracefs',
    checked: 'tracefs is mounted, for those who debug the kernel',
    run: (machine) => checkMount(machine, 'tracefs', 'mount -t tracefs none /sys/kernel/tracing'),
  },
  { id: 'capabilities', checked: 'this process may load programs and attach them', run: checkCapabilities },
  { id: 'forwarding', checked: 'the kernel forwards packets between workloads and the network', run: checkForwarding },
  {
    id: 'rp_filter',
    checked: 'reverse-path filtering does not drop what comes in by another way than answers take',
    run: (machine) =>
      judgeSysctls(machine, 'rp_filter', '1', 'answers that take another way are dropped', 'loose is 2, off is 0'),
  },
  {
    id: 'route_localnet',
    checked: "no interface lets workloads in to the host's 127.0.0.0/8",
    run: (machine) =>
      judgeSysctls(machine, 'route_localnet', '1', 'services on 127.0.0.1 can be reached from there', 'off is 0'),
  },
  { id: 'bpf_jit', checked: 'BPF programs are compiled', run: checkJit },
  { id: 'unprivileged_bpf', checked: 'only privileged users load BPF programs', run: checkUnprivileged },
  { id: 'conntrack', checked: "the kernel's own connection tracking has room", run: checkConntrack },
  { id: 'clocks', checked: 'the clocks go, and agree', run: checkClocks },
];

function checkBpffs(machine: Machine): Judgement {
  const { bpffs } = machine.places;
  const mounts = mountsOf(machine);
  if (mounts === undefined) return skip('/proc/mounts cannot be read');
  if (mounts.some(({ place, type }) => place === bpffs && type === 'bpf')) return ok(bpffs);
  return fail(`nothing of type bpf at ${bpffs}`, `mount -t bpf bpf ${bpffs}; the agent does so itself if it may`);
}

function checkMount(machine: Machine, wanted: string, hint: string): Judgement {
  const mounts = mountsOf(machine);
  if (mounts === undefined) return skip('/proc/mounts cannot be read');
  const mount = mounts.find(({ type }) => type === wanted);
  return mount === undefined ? warn(`no ${wanted} anywhere`, hint) : ok(mount.place);
}

function mountsOf(machine: Machine): { place: string; type: string }[] | undefined {
  return machine
    .read('/proc/mounts')
    ?.split('\n')
    .map((line) => line.split(' '))
    .map(([, place = '', type = '']) => ({ place, type }));
}

function checkCapabilities(machine: Machine): Judgement {
  const mask = /^CapEff:\s*([0-9a-f]+)$/m.exec(machine.read('/proc/self/status') ?? '')?.[1];
  if (mask === undefined) return skip('/proc/self/status does not tell');
  const held = BigInt(`0x${mask}`);
  const missing = Object.entries(CAPABILITIES).filter(([, bit]) => ((held >> BigInt(bit)) & 1n) === 0n);
  if (missing.length === 0) return ok(Object.keys(CAPABILITIES).join(' '));
  return fail(
    `without ${missing.map(([name]) => name).join(' ')}`,
    'run as root, or give the unit these capabilities: CapabilityBoundingSet= and AmbientCapabilities=',
  );
}

function checkForwarding(machine: Machine): Judgement {
  const settings = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'];
  const off = settings.filter((name) => sysctl(machine, `net/${name}`) === '0');
  const known = settings.filter((name) => sysctl(machine, `net/${name}`) !== undefined);
  if (known.length === 0) return skip('no sysctl of the network can be read');
  if (off.length === 0) return ok(known.map((name) => `${name} 1`).join(', '));
  const hint = `sysctl -w ${off.map((name) => `net.${name.replaceAll('/', '.')}=1`).join(' ')}`;
  const found = `${off.join(', ')} 0: packets between interfaces are dropped`;
  return off.includes('ipv4/ip_forward') ? fail(found, hint) : warn(found, hint);
}

/** Of all interfaces and the common setting: the larger of both counts. */
function judgeSysctls(machine: Machine, name: string, bad: string, why: string, values: string): Judgement {
  const settingOf = (one: string): string | undefined => sysctl(machine, `net/ipv4/conf/${one}/${name}`);
  const common = settingOf('all');
  if (common === undefined) return skip('the sysctl cannot be read');
  const interfaces = interfaceNames(machine);
  const isBad = (one: string): boolean => Math.max(Number(common), Number(settingOf(one) ?? common)) === Number(bad);
  const counting = interfaces.filter(isBad);
  if (counting.length === 0) return ok(`${name} is nowhere ${bad}`);
  // What follows from the common setting alone is told by its name.
  const found = common === bad ? ['all', ...counting.filter((one) => settingOf(one) === bad)] : counting;
  const first = found[0] as string;
  return warn(
    `${name} ${bad} on ${found.slice(0, 5).join(', ')}${found.length > 5 ? ` and ${found.length - 5} more` : ''}: ${why}`,
    `sysctl -w net.ipv4.conf.${first}.${name}=${name === 'rp_filter' ? 2 : 0} (${values})`,
  );
}

/** /proc/net is that of this process's own namespace, unlike /sys/class/net. */
function interfaceNames(machine: Machine): string[] {
  const lines = (machine.read('/proc/net/dev') ?? '').split('\n').slice(2);
  return lines.flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
}

function checkJit(machine: Machine): Judgement {
  const value = sysctl(machine, 'net/core/bpf_jit_enable');
  if (value === undefined) return skip('the sysctl cannot be read');
  if (value !== '0') return ok(`bpf_jit_enable ${value}`);
  return warn('bpf_jit_enable 0: every packet costs ten times as much', 'sysctl -w net.core.bpf_jit_enable=1');
}

function checkUnprivileged(machine: Machine): Judgement {
  const value = sysctl(machine, 'kernel/unprivileged_bpf_disabled');
  if (value === undefined) return skip('the sysctl cannot be read');
  if (value !== '0') return ok(`unprivileged_bpf_disabled ${value}`);
  return warn(
    'unprivileged_bpf_disabled 0: any user may load programs',
    'sysctl -w kernel.unprivileged_bpf_disabled=2',
  );
}

function checkConntrack(machine: Machine): Judgement {
  const [count, most] = ['count', 'max'].map((name) => sysctl(machine, `net/netfilter/nf_conntrack_${name}`));
  if (count === undefined || most === undefined) return skip('connection tracking is not loaded, and is not needed');
  const share = Number(count) / Number(most);
  const found = `${count} of ${most} entries`;
  const hint = `sysctl -w net.netfilter.nf_conntrack_max=${2 * Number(most)}`;
  if (share >= 0.95) return fail(`${found}: new connections are dropped by the kernel when it is full`, hint);
  return share >= 0.8 ? warn(found, hint) : ok(found);
}

async function checkClocks(machine: Machine): Promise<Judgement> {
  const { wallMs, steadyMs, nowMs, bootSeconds, monotonicSeconds } = await machine.clocks();
  const today = new Date(nowMs).toISOString();
  if (nowMs < EARLIEST_MS) return fail(`the wall clock says ${today}`, 'set it: timedatectl set-ntp true');
  const drift = Math.round(Math.abs(wallMs - steadyMs));
  const source = machine.read('/sys/devices/system/clocksource/clocksource0/current_clocksource')?.trim() ?? 'unknown';
  if (drift > LARGEST_DRIFT_MS) {
    return fail(
      `the wall clock went ${Math.round(wallMs)} ms in ${Math.round(steadyMs)} ms: somebody sets it`,
      'one time service must set it, and only one: timedatectl, chronyc tracking',
    );
  }
  if (SLOW_CLOCKS.has(source)) {
    return warn(`clock source ${source}, slow to read`, 'see /sys/devices/system/clocksource/clocksource0');
  }
  const slept = bootSeconds === undefined ? 0 : Math.max(0, Math.round(bootSeconds - monotonicSeconds));
  const sleep = slept > 1 ? `, the machine slept ${slept} s since boot` : '';
  return ok(`${today}, source ${source}, ${drift} ms apart${sleep}`);
}

function sysctl(machine: Machine, path: string): string | undefined {
  return machine.read(`/proc/sys/${path}`)?.trim();
}

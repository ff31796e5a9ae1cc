// A machine of its own that boots systemd: this one's files under an overlay that nothing outlives, no network but what it makes itself,
// in namespaces by systemd-nspawn. The package is installed before it boots, as on a machine that is set up.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommandOutput, runCommand } from '../../../src/bench/command.ts';
import { findProject } from '../../../tools/lab/project.ts';

const BOOT_MS = 300_000;
const POWER_OFF_MS = 20_000;
/** Where downloaded packages are kept for the next time. */
const ARCHIVES = join(findProject(), 'build/machine-packages');
/** Units of this machine that would wait for devices, people or the network. */
const MASKED = [
  'systemd-logind.service',
  'getty.target',
  'console-getty.service',
  'systemd-udevd.service',
  'NetworkManager-wait-online.service',
];
const MESSAGES = ['dbus.socket', 'dbus.service'];

export interface MachineSpec {
  readonly package: string;
  /** Names of Debian's packages that are installed too, with what they need. */
  readonly packages?: readonly string[];
  /** Has messages between programs (dbus), all capabilities, and control groups that it may write: for what runs containers. */
  readonly isPrivileged?: boolean;
  /** Content by path, written before the first boot. */
  readonly files?: Readonly<Record<string, string>>;
  /** Units that are there on each boot. */
  readonly enabled: readonly string[];
}

export class Machine {
  readonly #folder: string;
  readonly #cgroups: readonly string[];
  readonly #child: ChildProcess;
  readonly #console: string[] = [];
  #leader = 0;

  private constructor(folder: string, cgroups: readonly string[], child: ChildProcess) {
    this.#folder = folder;
    this.#cgroups = cgroups;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#console.push(text));
    }
  }

  /** Resolves when systemd has started all that it was told to. Throws with the console's text where it does not come to that. */
  static async boot(spec: MachineSpec): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), 'tortie-machine-'));
    writeMachineFiles(folder, spec);
    const cgroups = makeCgroups(spec.isPrivileged === true);
    const script = join(folder, 'boot.sh');
    writeFileSync(script, bootScript(folder, cgroups, spec));
    const argv = ['--mount', '--propagation', 'private', 'sh', script];
    const machine = new Machine(folder, cgroups, spawn('unshare', argv, { stdio: ['ignore', 'pipe', 'pipe'] }));
    try {
      await machine.#untilUp();
      if (spec.isPrivileged === true) await machine.run('sh', '-ec', WRITABLE_CGROUPS);
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  /** Runs a program in it. Throws KERNEL when it ends with another status than 0. */
  run(...argv: readonly string[]): Promise<CommandOutput> {
    return runCommand(['nsenter', '-t', String(this.#leader), '-a', '--', ...argv]);
  }

  /** Whether the program ends with status 0. */
  async succeeds(...argv: readonly string[]): Promise<boolean> {
    return this.run(...argv).then(
      () => true,
      () => false,
    );
  }

  /** Properties of a unit, by name. */
  async unit(name: string): Promise<Readonly<Record<string, string>>> {
    const { stdout } = await this.run('systemctl', 'show', name);
    return Object.fromEntries(stdout.split('\n').map((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? ['', '']));
  }

  /** Without warning to what runs. What the machine had made in its network is gone afterwards, and all that was pinned. */
  async reboot(): Promise<void> {
    const before = this.#leader;
    await this.run('sh', '-c', 'rm -rf /sys/fs/bpf/*; systemctl --force reboot').catch(() => {});
    const end = Date.now() + BOOT_MS;
    while (Date.now() < end && existsSync(`/proc/${before}`)) await sleep(100);
    this.#leader = 0;
    await this.#untilUp();
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('close', resolve));
      // systemd-nspawn powers the machine off.
      this.#child.kill('SIGTERM');
      const timer = setTimeout(() => this.#child.kill('SIGKILL'), POWER_OFF_MS);
      await ended;
      clearTimeout(timer);
    }
    for (const cgroup of this.#cgroups) await removeCgroup(cgroup);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #untilUp(): Promise<void> {
    const end = Date.now() + BOOT_MS;
    while (Date.now() < end && this.#child.exitCode === null) {
      this.#leader ||= this.#findLeader();
      if (this.#leader !== 0 && (await this.#hasStarted())) return;
      await sleep(200);
    }
    throw new Error(`the machine did not come up:\n${this.#console.join('')}`);
  }

  /** Nothing is left to start. A target that is reached says less: it does not wait for units without default dependencies. */
  #hasStarted(): Promise<boolean> {
    const script = 'systemctl is-system-running | grep -qxE "running|degraded"';
    return this.succeeds('sh', '-c', script);
  }

  /** Process 1 of the machine, as it is numbered outside: systemd-nspawn's child, which is the script's; 0 = not yet. */
  #findLeader(): number {
    for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const [, comm, parent] = /^\d+ \((.*)\) \S (\d+) /.exec(readOrNothing(`/proc/${entry}/stat`)) ?? [];
      if (comm === 'systemd' && parentOf(parent) === this.#child.pid) return Number(entry);
    }
    return 0;
  }
}

/** systemd-nspawn mounts those of the first version for reading. */
const WRITABLE_CGROUPS =
  'for place in $(findmnt -n -r -t cgroup -o TARGET); do mount -o remount,rw,bind "$place"; done';

/** Packages from Debian; nothing that they bring is started before the machine boots. */
function installScript(packages: readonly string[]): string[] {
  if (packages.length === 0) return [];
  const options = '-y --no-install-recommends -o APT::Keep-Downloaded-Packages=1';
  const install = `DEBIAN_FRONTEND=noninteractive chroot root apt-get install ${options} ${packages.join(' ')}`;
  return [
    `mkdir -p ${ARCHIVES}/partial`,
    'cp --remove-destination -L /etc/resolv.conf root/etc/resolv.conf',
    'mount -t proc proc root/proc',
    `mount --bind ${ARCHIVES} root/var/cache/apt/archives`,
    "printf '#!/bin/sh\\nexit 101\\n' > root/usr/sbin/policy-rc.d",
    'chmod +x root/usr/sbin/policy-rc.d',
    `${install} || { chroot root apt-get update && ${install}; }`,
    'rm root/usr/sbin/policy-rc.d',
    'umount root/var/cache/apt/archives root/proc',
  ];
}

/** Number of a process's parent; undefined = there is no such process any more. */
function parentOf(pid = ''): number | undefined {
  const [, parent] = /^\d+ \(.*\) \S (\d+) /.exec(readOrNothing(`/proc/${pid}/stat`)) ?? [];
  return parent === undefined ? undefined : Number(parent);
}

/** What rootScript finds in the folder. */
export function writeMachineFiles(folder: string, { files = {} }: MachineSpec): void {
  mkdirSync(join(folder, 'machine'));
  mkdirSync(join(folder, 'files'));
  for (const [path, text] of Object.entries(files)) {
    const place = join(folder, 'files', path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, text);
  }
}

/**
 * Lines of a shell that make `root` of what a machine needs, in an overlay over this machine whose own part is `up`. They run in
 * `<folder>/machine`, in a namespace of mounts, and find the specified files in `<folder>/files`. The overlay cannot be on the file system
 * that it lies over, so it is in memory.
 */
export function rootScript(folder: string, spec: MachineSpec): string[] {
  const { package: file, packages = [], isPrivileged = false, enabled } = spec;
  const masked = isPrivileged ? MASKED : [...MASKED, ...MESSAGES];
  const node = existsSync('/usr/bin/node') ? '' : `cp ${process.execPath} root/usr/bin/node`;
  const units = '/etc/systemd/system';
  return [
    `cd ${folder}/machine`,
    'mount -t tmpfs -o mode=0755 tmpfs .',
    `cd ${folder}/machine`,
    'mkdir up work root bpf',
    'mount -t overlay overlay -o lowerdir=/,upperdir=up,workdir=work root',
    // Images of containers bring a policy-rc.d that keeps packages from starting anything.
    `rm -rf root${units} root/etc/machine-id root/etc/tortie root/run root/usr/sbin/policy-rc.d`,
    `mkdir -p root${units} root/run root/package`,
    ': > root/etc/machine-id',
    `ln -s /lib/systemd/system/multi-user.target root${units}/default.target`,
    ...masked.map((unit) => `ln -s /dev/null root${units}/${unit}`),
    ...installScript(packages),
    `cp ${file} root/package/tortie.deb`,
    node,
    `chroot root dpkg ${node === '' ? '' : '--force-depends'} -i /package/tortie.deb`,
    'cp -r ../files/. root/',
    ...enabled.map((unit) => `chroot root systemctl enable ${unit}`),
  ];
}

function bootScript(folder: string, cgroups: readonly string[], spec: MachineSpec): string {
  const allowed = spec.isPrivileged
    ? "--capability=all --system-call-filter='bpf keyctl add_key'"
    : '--capability=CAP_BPF,CAP_PERFMON,CAP_NET_ADMIN --system-call-filter=bpf';
  return [
    'set -e',
    ...cgroups.map((cgroup) => `echo $$ > ${cgroup}/cgroup.procs`),
    ...rootScript(folder, spec),
    'mount -t bpf bpf bpf',
    // It ends with this status when the machine wants to boot again.
    'trap \'kill -TERM "$nspawn"\' TERM',
    'status=133',
    'while [ "$status" = 133 ]; do',
    [
      'setpriv --pdeathsig KILL systemd-nspawn -D root --boot --private-network --register=no --keep-unit --link-journal=no --console=pipe --hostname=tortie',
      `${allowed} --bind=$PWD/bpf:/sys/fs/bpf &`,
    ].join(' '),
    'nspawn=$!',
    'while kill -0 "$nspawn" 2>/dev/null; do wait "$nspawn" && status=0 || status=$?; done',
    'done',
    '',
  ].join('\n');
}

/**
 * One in each hierarchy that systemd keeps its own books in, or in all of them: the machine must not see that of this one, and what it
 * makes goes with its own.
 */
function makeCgroups(areAll: boolean): string[] {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  const roots = mounts.flatMap((line) => {
    const [, place = '', type, options = ''] = line.split(' ');
    return type === 'cgroup2' || (type === 'cgroup' && (areAll || options.includes('name=systemd'))) ? [place] : [];
  });
  return [...new Set(roots)].map((root) => {
    const cgroup = join(root, `tortie-machine-${process.pid}`);
    mkdirSync(cgroup, { recursive: true });
    if (existsSync(join(root, 'cgroup.clone_children'))) inheritProcessors(root, cgroup);
    return cgroup;
  });
}

/** A group of the first version's cpuset takes no process before it has processors and memory. */
function inheritProcessors(parent: string, cgroup: string): void {
  writeFileSync(join(cgroup, 'cgroup.clone_children'), '1');
  for (const file of ['cpuset.cpus', 'cpuset.mems'].filter((name) => existsSync(join(parent, name)))) {
    writeFileSync(join(cgroup, file), readFileSync(join(parent, file)));
  }
}

/** Its processes have ended, but the kernel may be a moment late with that. */
async function removeCgroup(cgroup: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      removeTree(cgroup);
      return;
    } catch {
      await sleep(100);
    }
  }
}

function removeTree(cgroup: string): void {
  for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(cgroup, entry.name));
  }
  rmdirSync(cgroup);
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

// What each test tier needs of the machine, and what to do where it is missing.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { findExecutable, root } from '../build-steps/process.mjs';

const addon = path.join(root, 'build/Release/tortie.node');

const needs = {
  unit: [],
  abi: [needsBuild, needsBpf],
  packet: [needsBuild, needsBpf],
  attacks: [needsBuild, needsBpf, needsTools],
  fuzz: [needsBuild],
  host: [needsBuild, needsBpf, needsTools, needsShells, needsCollectors, needsPackaging],
  proof: [needsBuild, needsBpf, needsTools, needsTracer],
  traffic: [needsBuild, needsBpf, needsTools, needsQemu, needsSystemDisk],
  vm: [needsBuild, needsQemu],
};

/** One sentence for each thing that is missing; none if the tier can run. */
export function findMissingNeeds(tier) {
  return needs[tier].map((check) => check()).filter((problem) => problem !== undefined);
}

function needsBuild() {
  const missing = ['build/bpf/abi.bpf.o', 'build/Release/tortie.node'].filter(
    (file) => !existsSync(path.join(root, file)),
  );
  return missing.length === 0 ? undefined : `${missing.join(', ')} is missing: run npm run build`;
}

function needsBpf() {
  if (process.getuid() !== 0) return 'it loads programs into the kernel: run as root';
  if (!existsSync(addon)) return undefined;
  try {
    const { bpfSyscall } = createRequire(import.meta.url)(addon).probeFeatures();
    return bpfSyscall ? undefined : 'this kernel has no bpf(2): run on Linux 5.10 or newer with CONFIG_BPF_SYSCALL';
  } catch (error) {
    return `bpf(2) does not work here: ${error.message}: run as root outside of containers that forbid it`;
  }
}

function needsTools() {
  return needsPrograms({ ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping', nsenter: 'util-linux' });
}

function needsShells() {
  return needsPrograms({ zsh: 'zsh', fish: 'fish', mandoc: 'mandoc' });
}

function needsCollectors() {
  return needsPrograms({ nfcapd: 'nfdump', nfdump: 'nfdump', rsyslogd: 'rsyslog', jq: 'jq', journalctl: 'systemd' });
}

function needsPackaging() {
  return needsPrograms({
    'systemd-nspawn': 'systemd-container',
    lintian: 'lintian',
    'dpkg-shlibdeps': 'dpkg-dev',
    runc: 'runc',
    skopeo: 'skopeo',
    umoci: 'umoci',
    openssl: 'openssl',
  });
}

/** The tracer of tools/lab/faults reads registers by their names. */
function needsTracer() {
  return process.arch === 'x64' ? undefined : `its tracer is written for x86-64: this is ${process.arch}`;
}

/** What else guests need is named by the tool that boots them. */
function needsQemu() {
  return needsPrograms({ 'qemu-system-x86_64': 'qemu-system-x86', busybox: 'busybox-static' });
}

/** Of a guest that boots from it, with the package installed. */
function needsSystemDisk() {
  return needsPrograms({
    'mkfs.ext4': 'e2fsprogs',
    'dpkg-shlibdeps': 'dpkg-dev',
    strip: 'binutils',
    sshd: 'openssh-server',
    ssh: 'openssh-client',
  });
}

/** Program -> its package. */
function needsPrograms(packages) {
  const missing = Object.keys(packages).filter((tool) => findExecutable([tool]) === undefined);
  if (missing.length === 0) return undefined;
  return `${missing.join(', ')} is missing: apt-get install ${missing.map((tool) => packages[tool]).join(' ')}`;
}

// What this machine must have to run a guest: programs, by their package, and memory. No installing here.
import { accessSync, constants, readFileSync } from 'node:fs';
import { VmFailure } from './failure.ts';
import { findTool } from './run-tool.ts';

export interface HostTools {
  readonly qemu: string;
  readonly virtiofsd: string;
  readonly busybox: string;
}

/** Package -> where its program may be. The last ones are run by name. */
const TOOLS = {
  'qemu-system-x86': ['qemu-system-x86_64'],
  virtiofsd: ['/usr/libexec/virtiofsd', '/usr/lib/qemu/virtiofsd', 'virtiofsd'],
  'busybox-static': ['busybox'],
  kmod: ['depmod'],
  'xz-utils': ['xz'],
  zstd: ['zstd'],
  'util-linux': ['setpriv'],
  dpkg: ['dpkg-deb'],
} as const;

/** What the host keeps for itself beside the guest's memory: QEMU's own, and room to breathe. */
const SPARE_MB = 512;

/** Throws VmFailure naming the packages to install. */
export function findTools(): HostTools {
  if (process.arch !== 'x64') throw new VmFailure(`guests are amd64 machines, this one is ${process.arch}`);
  const found = Object.fromEntries(Object.entries(TOOLS).map(([name, files]) => [name, findTool(files)]));
  const missing = Object.keys(TOOLS).filter((name) => found[name] === undefined);
  if (missing.length > 0) {
    throw new VmFailure(`missing programs; run: apt-get install --no-install-recommends ${missing.join(' ')}`);
  }
  return {
    qemu: String(found['qemu-system-x86']),
    virtiofsd: String(found.virtiofsd),
    busybox: String(found['busybox-static']),
  };
}

/** Throws VmFailure if guests of this size would push the host into swapping, or worse. */
export function checkMemory(memoryMb: number, guests: number): void {
  const free = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) / 1024;
  const needed = memoryMb * guests + SPARE_MB;
  if (free >= needed) return;
  const who = guests === 1 ? 'a guest' : `${guests} guests`;
  throw new VmFailure(`${who} of ${memoryMb} MB: ${needed} MB of memory needed, ${Math.floor(free)} MB available`);
}

/** Whether the processor can run guests itself. A device node alone says nothing: it may be there without the means. */
export function hasKvm(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return false;
  }
  return /^flags\s*:.*\b(vmx|svm)\b/m.test(readFileSync('/proc/cpuinfo', 'utf8'));
}

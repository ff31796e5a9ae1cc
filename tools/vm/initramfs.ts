// What the guest starts with: busybox, the modules that lead to the host's files, and what to run. As one archive.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type ArchiveFile, packArchive } from './cpio.ts';
import { ATTEND_SCRIPT, RUN_SCRIPT, STAGE_TWO_SCRIPT, START_SCRIPT, TASK_UNIT } from './guest-scripts.ts';
import type { CachedKernel } from './kernel-cache.ts';
import { runTool } from './run-tool.ts';

/** Absent ones are part of the kernel itself. In no order: what each one needs comes first anyway. */
const MODULES = ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay', 'virtio_net'];

/** Of a guest with a disk. */
const DISK_MODULES = ['virtio_blk', 'crc32c_generic', 'ext4'];

/** What one guest runs. */
export interface GuestTask {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Which of several joined guests this is; undefined = alone. */
  readonly index?: number;
  /** systemd of the host's files is process 1, and reboots when the task has ended; otherwise there is nothing but the task. */
  readonly isSystem?: boolean;
}

/** Throws VmFailure for a module that cannot be unpacked. */
export async function packInitramfs(
  busybox: string,
  kernel: CachedKernel,
  task: GuestTask,
  hasDisk = false,
): Promise<Buffer> {
  const modules = await readModules(kernel, hasDisk ? [...MODULES, ...DISK_MODULES] : MODULES);
  const variables = Object.entries(task.env).map(([name, value]) => `${name}=${value}`);
  const settings = {
    modules: kernel.modules,
    cwd: task.cwd,
    index: String(task.index ?? ''),
    disk: hasDisk ? '/dev/vda' : '',
    init: task.isSystem === true ? '/lib/systemd/systemd' : '',
  };
  const files: ArchiveFile[] = [
    { path: 'init', data: START_SCRIPT, isExecutable: true },
    { path: 'bin/busybox', data: readFileSync(busybox), isExecutable: true },
    { path: 'tortie/stage-two', data: STAGE_TWO_SCRIPT, isExecutable: true },
    { path: 'tortie/run', data: RUN_SCRIPT, isExecutable: true },
    { path: 'tortie/attend', data: ATTEND_SCRIPT, isExecutable: true },
    { path: 'tortie/task.service', data: TASK_UNIT },
    { path: 'tortie/order', data: modules.map(({ name }) => `${name}\n`).join('') },
    { path: 'tortie/words', data: nulEnded(['/run/tortie-guest/busybox', 'env', '-i', ...variables, ...task.words]) },
    ...Object.entries(settings).map(([name, data]) => ({ path: `tortie/${name}`, data })),
    ...modules.map(({ name, data }) => ({ path: `modules/${name}`, data })),
  ];
  return packArchive(files);
}

function nulEnded(words: readonly string[]): string {
  return words.map((word) => `${word}\0`).join('');
}

/** Unpacked, each after those that it needs. */
async function readModules(
  { abi, modules }: CachedKernel,
  wanted: readonly string[],
): Promise<{ readonly name: string; readonly data: Buffer }[]> {
  const folder = path.join(modules, abi);
  const order = loadOrder(readFileSync(path.join(folder, 'modules.dep'), 'utf8'), wanted);
  return Promise.all(
    order.map(async (file) => {
      const data = readFileSync(path.join(folder, file));
      const name = path.basename(file).replace(/\.(xz|zst)$/, '');
      if (file.endsWith('.xz')) return { name, data: await runTool('xz', ['-dc'], { input: data }) };
      if (file.endsWith('.zst')) return { name, data: await runTool('zstd', ['-dc'], { input: data }) };
      return { name, data };
    }),
  );
}

/** Files of modules.dep that the wanted modules are and need, those needed first. Unknown names are left away. */
export function loadOrder(dependencies: string, wanted: readonly string[]): string[] {
  const needs = new Map<string, readonly string[]>();
  const files = new Map<string, string>();
  for (const line of dependencies.split('\n')) {
    const [file = '', rest = ''] = line.split(':');
    if (file === '') continue;
    needs.set(
      file,
      rest.split(' ').filter((word) => word !== ''),
    );
    files.set(
      path
        .basename(file)
        .replace(/\.ko.*$/, '')
        .replaceAll('-', '_'),
      file,
    );
  }
  const order = new Set<string>();
  // modules.dep names the needs of the needs too, the last to be loaded first.
  for (const name of wanted) {
    const file = files.get(name);
    if (file === undefined) continue;
    for (const need of [...(needs.get(file) ?? [])].reverse()) order.add(need);
    order.add(file);
  }
  return [...order];
}

// Kernels ready to boot, one folder each, outside of the tree: fetched once, older ones of the same request removed.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { extractKernel } from './bzimage.ts';
import { Debian } from './debian.ts';
import { VmFailure } from './failure.ts';
import { chooseKernel, compareAbis, type KernelChoice, matches } from './kernel-choice.ts';
import { runTool } from './run-tool.ts';

/** A kernel on this machine's disk. */
export interface CachedKernel {
  readonly abi: string;
  /** The ELF kernel. */
  readonly kernel: string;
  /** What is `/usr/lib/modules` in the guest. */
  readonly modules: string;
}

/** Which kernel a request meant when the package lists were last asked. */
interface Answer {
  readonly abi: string;
  readonly askedMs: number;
}

const ANSWER_LASTS_MS = 7 * 24 * 3_600_000;

export function kernelFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return path.join(cache, 'tortie/kernels');
}

/**
 * The newest kernel that Debian has for a request such as `6.1`, fetched if it is not here. Without a network whatever fits
 * best of what is here. `tell` hears what takes long. Throws VmFailure.
 */
export async function ensureKernel(request: string, tell: (what: string) => void): Promise<CachedKernel> {
  const folder = kernelFolder();
  const answer = readAnswer(folder, request);
  if (answer !== undefined && Date.now() - answer.askedMs < ANSWER_LASTS_MS) return describe(folder, answer.abi);
  try {
    return await fetchNewest(folder, request, tell);
  } catch (failure) {
    const here = cachedAbis(folder).filter((abi) => matches(request, abi));
    const newest = here.sort(compareAbis).at(-1);
    if (newest === undefined) throw explain(request, failure);
    tell(`kernel ${request}: taking ${newest} from the cache, for ${(failure as Error).message.split('\n')[0]}`);
    return describe(folder, newest);
  }
}

async function fetchNewest(folder: string, request: string, tell: (what: string) => void): Promise<CachedKernel> {
  const debian = new Debian(path.join(folder, 'apt'));
  await debian.update();
  const choice = chooseKernel(request, await debian.kernelPackages(request));
  if (choice === undefined) throw new VmFailure(`no suite of Debian has a kernel ${request} for amd64`);
  if (!existsSync(path.join(folder, choice.abi))) {
    tell(`kernel ${request}: fetching ${choice.packages.join(', ')}`);
    await fetchKernel(folder, choice, debian);
  }
  writeFileSync(answerFile(folder, request), JSON.stringify({ abi: choice.abi, askedMs: Date.now() } satisfies Answer));
  removeForgotten(folder);
  return describe(folder, choice.abi);
}

/** The folder of a kernel appears whole or not at all. */
async function fetchKernel(folder: string, { abi, packages }: KernelChoice, debian: Debian): Promise<void> {
  const work = mkdtempSync(path.join(folder, 'unfinished-'));
  try {
    await debian.download(packages, work);
    const root = path.join(work, 'root');
    for (const archive of readdirSync(work).filter((name) => name.endsWith('.deb'))) {
      await runTool('dpkg-deb', ['-x', path.join(work, archive), root]);
    }
    const kernel = path.join(work, 'kernel');
    const modules = path.join(kernel, 'modules');
    mkdirSync(modules, { recursive: true });
    const found = ['usr/lib/modules', 'lib/modules'].map((name) => path.join(root, name)).filter(existsSync)[0] ?? root;
    const images = [path.join(root, 'boot', `vmlinuz-${abi}`), path.join(found, abi, 'vmlinuz')];
    const image = images.find(existsSync);
    if (image === undefined) throw new VmFailure(`${packages.join(', ')}: no kernel image inside`);
    writeFileSync(path.join(kernel, 'vmlinux'), await extractKernel(readFileSync(image)));
    renameSync(path.join(found, abi), path.join(modules, abi));
    // depmod looks below lib/modules of its base folder.
    mkdirSync(path.join(work, 'base/lib'), { recursive: true });
    renameSync(modules, path.join(work, 'base/lib/modules'));
    await runTool('depmod', ['-b', path.join(work, 'base'), abi]);
    renameSync(path.join(work, 'base/lib/modules'), modules);
    if (!existsSync(path.join(folder, abi))) renameSync(kernel, path.join(folder, abi));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function describe(folder: string, abi: string): CachedKernel {
  return { abi, kernel: path.join(folder, abi, 'vmlinux'), modules: path.join(folder, abi, 'modules') };
}

function cachedAbis(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter(
    (name) => existsSync(path.join(folder, name, 'vmlinux')) && !name.startsWith('unfinished-'),
  );
}

function answerFile(folder: string, request: string): string {
  return path.join(folder, `${request}.json`);
}

function readAnswer(folder: string, request: string): Answer | undefined {
  const file = answerFile(folder, request);
  if (!existsSync(file)) return undefined;
  const answer = JSON.parse(readFileSync(file, 'utf8')) as Answer;
  return existsSync(path.join(folder, answer.abi, 'vmlinux')) ? answer : undefined;
}

/** Removes kernels that no request means any more. */
function removeForgotten(folder: string): void {
  const requests = readdirSync(folder).flatMap((name) => /^([\d.]+)\.json$/.exec(name)?.[1] ?? []);
  const meant = new Set(requests.map((request) => readAnswer(folder, request)?.abi));
  for (const abi of cachedAbis(folder)) {
    if (!meant.has(abi)) rmSync(path.join(folder, abi), { recursive: true, force: true });
  }
}

function explain(request: string, cause: unknown): VmFailure {
  const why = (cause as Error).message;
  const what = `linux-image-${request}.*-amd64 of deb.debian.org`;
  return new VmFailure(`kernel ${request} is not in ${kernelFolder()}, and ${what} cannot be fetched: ${why}`, {
    cause,
  });
}

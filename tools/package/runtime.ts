// What the application runs on in the image: this machine's node, the shared libraries that it and the addons load, and for each
// Debian package that they are from its terms and its record, which scanners of images look for.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../src/bench/command.ts';
import type { Entry } from './entry.ts';

const NODE = 'usr/bin/node';
/** Debian's /lib and the like are links into /usr. */
const MERGED = /^\/(lib|lib64|lib32|bin|sbin)\//;

/**
 * Entries for node and all that it and these objects load, but for what an object brings along: a library beside it is the
 * application's. Throws KERNEL for an object that no library is found for.
 */
export async function runtimeEntries(objects: readonly string[]): Promise<Entry[]> {
  const libraries = new Map<string, string>();
  const brought = new Set(objects.map((object) => dirname(realpathSync(object))));
  for (const object of [process.execPath, ...objects]) {
    for (const path of await librariesOf(object)) {
      const from = realpathSync(path);
      if (!brought.has(dirname(from))) libraries.set(placeOf(path), from);
    }
  }
  const files = [...libraries].map(([path, from]): Entry => ({ path, kind: 'copy', from, mode: 0o755 }));
  const owners = await ownersOf([process.execPath, ...libraries.values()]);
  return [
    { path: NODE, kind: 'copy', from: realpathSync(process.execPath), mode: 0o755 },
    ...files,
    ...['lib', 'lib64'].map((name): Entry => ({ path: name, kind: 'link', to: `usr/${name}` })),
    ...owners.flatMap(recordsOf),
  ];
}

async function librariesOf(object: string): Promise<string[]> {
  const { stdout } = await runCommand(['ldd', object]);
  const missing = /^\s*(\S+) => not found$/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`${object}: no ${missing} on this machine`);
  return [...stdout.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, path]) => path as string);
}

function placeOf(path: string): string {
  return (MERGED.test(path) ? `/usr${path}` : path).slice(1);
}

interface Owner {
  readonly name: string;
  readonly record: string;
}

/** The Debian packages that have these files; a node of another kind belongs to none. */
async function ownersOf(paths: readonly string[]): Promise<Owner[]> {
  const names = new Set<string>();
  for (const path of paths) {
    const both = [path, path.replace(/^\/usr\/(lib|bin)/, '/$1'), path.replace(/^\/(lib|bin)/, '/usr/$1')];
    const { stdout } = await runCommand(['sh', '-c', 'dpkg-query -S "$@" 2>/dev/null || true', 'sh', ...both]);
    const name = /^([^\s,]+): /m.exec(stdout)?.[1];
    if (name !== undefined) names.add(name);
  }
  const sorted = [...names].sort();
  return Promise.all(
    sorted.map(async (name) => ({
      name: name.replace(/:.*/, ''),
      record: (await runCommand(['dpkg-query', '-s', name])).stdout,
    })),
  );
}

function recordsOf({ name, record }: Owner): Entry[] {
  const copyright = join('/usr/share/doc', name, 'copyright');
  const terms: Entry[] = existsSync(copyright)
    ? [{ path: copyright.slice(1), kind: 'text', text: readFileSync(copyright) }]
    : [];
  return [{ path: `var/lib/dpkg/status.d/${name}`, kind: 'text', text: record }, ...terms];
}

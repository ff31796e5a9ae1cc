// What is installed wherever Tortie is, as a list of entries below /usr: the compiled code, the addon, the programs for the kernel and
// the modules they need. The same for the Debian package and for the image.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Entry } from './entry.ts';
import type { Module } from './modules.ts';

export const HOME = 'usr/lib/tortie';
const MAIN = 'dist/cli/main.js';
const ADDON = 'build/Release/tortie.node';
/** Those that `dist` loads: see builtFile. */
export const OBJECTS: readonly string[] = [
  'bridge',
  'flow-logs',
  'guard',
  'guard-frags',
  'host',
  'traffic',
  'workload',
].map((name) => `build/bpf/${name}.bpf.o`);
/** The node of the package, not one that comes first on somebody's PATH; and no shell, which the image has none of. */
const COMMAND = "#!/usr/bin/node\nimport('/usr/lib/tortie/dist/cli/main.js');\n";

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly engines: { readonly node: string };
}

export function readManifest(project: string): Manifest {
  return JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as Manifest;
}

/** Throws when the project is not built. */
export function applicationEntries(project: string, modules: readonly Module[]): Entry[] {
  const built = [...filesBelow(project, 'dist', /\.js$/), ...OBJECTS];
  for (const path of [...built, ADDON]) {
    if (!existsSync(join(project, path))) throw new Error(`${path} is missing (run: npm run build)`);
  }
  const plain = [...built, ...modules.flatMap(({ folder, files }) => files.map((file) => join(folder, file)))];
  const { name, version, description, license, engines } = readManifest(project);
  const manifest = `${JSON.stringify({ name, version, description, license, private: true, type: 'module', engines })}\n`;
  return [
    ...plain.map((path): Entry => {
      const mode = path === MAIN ? 0o755 : 0o644;
      return { path: join(HOME, path), kind: 'copy', from: join(project, path), mode };
    }),
    { path: join(HOME, ADDON), kind: 'copy', from: join(project, ADDON) },
    { path: join(HOME, 'package.json'), kind: 'text', text: manifest },
  ];
}

/** What people call: the command, with its manual where that was made. */
export function commandEntries(project: string): Entry[] {
  const manual = filesBelow(project, 'docs/man', /\.\d$/).map((path): Entry => {
    const section = path.slice(-1);
    const name = path.slice(path.lastIndexOf('/') + 1);
    return {
      path: `usr/share/man/man${section}/${name}.gz`,
      kind: 'text',
      text: compress(readFileSync(join(project, path))),
    };
  });
  return [{ path: 'usr/bin/tortie', kind: 'text', text: COMMAND, mode: 0o755 }, ...manual];
}

/** As gzip -9n does: no name and no time. */
export function compress(content: Uint8Array | string): Uint8Array {
  return gzipSync(content, { level: 9 });
}

/** Paths below the project, sorted. */
export function filesBelow(project: string, folder: string, accept: RegExp): string[] {
  if (!existsSync(join(project, folder))) return [];
  return readdirSync(join(project, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && accept.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(project.length + 1))
    .sort();
}

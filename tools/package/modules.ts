// The modules of node_modules that run in production, by the lockfile, and of each only what runs: no sources, types or builds for
// other C libraries.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Module {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  /** Relative to the project, e.g. `node_modules/zod`. */
  readonly folder: string;
  /** Relative to its folder, sorted. */
  readonly files: readonly string[];
  /** Its own words on its licence. */
  readonly licenseText: string;
}

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
}

const RUNS = /\.(?:[cm]?js|json|node|so)$/;
const OTHER_LIBRARY = /\.musl\.node$/;
const LICENSE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;
/** Not needed to run: what compiles, tests or bundles the module, and commands that it brings. */
const ASIDE =
  /^(?:rollup\.config\.js|binding\.gyp|bin\.m?js|build-test\.js|optional\.js|\.|(?:bin|test|tests|benchmark|benchmarks|bench|docs|src|dependencies|deps)\/)/;

/** Sorted by folder. Throws for one that the lockfile asks for and that is not installed. */
export function productionModules(project: string): Module[] {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>;
  };
  return Object.entries(lock.packages)
    .filter(([folder, { dev, devOptional }]) => folder !== '' && dev !== true && devOptional !== true)
    .filter(([folder, { optional }]) => optional !== true || existsSync(join(project, folder)))
    .filter(([folder]) => basename(folder) !== 'node-addon-api')
    .map(([folder, locked]) => describeModule(project, folder, locked))
    .sort((a, b) => (a.folder < b.folder ? -1 : 1));
}

function describeModule(project: string, folder: string, locked: LockedPackage): Module {
  const root = join(project, folder);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  if (manifest.version !== locked.version) {
    throw new Error(`${folder} is ${manifest.version}, the lockfile says ${locked.version} (run: npm ci)`);
  }
  const all = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith('node_modules/'))
    .sort();
  return {
    name: folder.slice(folder.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version: locked.version,
    license: locked.license ?? 'unknown',
    folder,
    files: all.filter((path) => RUNS.test(path) && !OTHER_LIBRARY.test(path) && !ASIDE.test(path)),
    licenseText: all
      .filter((path) => LICENSE.test(path))
      .map((path) => readFileSync(join(root, path), 'utf8').trim())
      .join('\n\n'),
  };
}

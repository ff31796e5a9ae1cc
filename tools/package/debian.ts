// The Debian package: the application, its unit, its configuration and what dpkg must know, packed by dpkg-deb. Two builds of one
// checkout are the same bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from '../../src/bench/command.ts';
import { SCRIPTS, SHELLS, type Shell } from '../../src/cli/completion/scripts.ts';
import { applicationEntries, commandEntries, compress, HOME, readManifest } from './application.ts';
import { changelogOf } from './changelog.ts';
import { copyrightText } from './copyright.ts';
import { DOCUMENTS, documentEntries } from './documents.ts';
import { completeTree, type Entry, writeTree } from './entry.ts';
import { productionModules } from './modules.ts';

const MAINTAINER_SCRIPTS = ['postinst', 'prerm', 'postrm'];
/** Where shells look for what packages bring. */
const COMPLETIONS: Readonly<Record<Shell, string>> = {
  bash: 'usr/share/bash-completion/completions/tortie',
  zsh: 'usr/share/zsh/vendor-completions/_tortie',
  fish: 'usr/share/fish/vendor_completions.d/tortie.fish',
};

/** Writes `tortie_<version>_<architecture>.deb` into the folder; returns its path. Throws when the project is not built, and KERNEL. */
export async function buildDebianPackage(project: string, folder: string): Promise<string> {
  const { version } = readManifest(project);
  const changelog = changelogOf(project);
  if (changelog.version !== version) {
    throw new Error(`packaging/debian/changelog is at ${changelog.version}, package.json at ${version}`);
  }
  await requireTool('dpkg-shlibdeps', 'dpkg-dev');
  await requireTool('strip', 'binutils');
  const architecture = (await runCommand(['dpkg', '--print-architecture'])).stdout.trim();
  const stage = mkdtempSync(join(tmpdir(), 'tortie-deb-'));
  try {
    const tree = join(stage, 'tree');
    mkdirSync(tree);
    const files = packageEntries(project);
    writeTree(tree, files, changelog.timeSeconds);
    await runCommand([
      'find',
      join(tree, HOME),
      '-name',
      '*.node',
      '-exec',
      'strip',
      '--strip-unneeded',
      '-p',
      '{}',
      ';',
    ]);
    const facts = { version, architecture, libraries: await findLibraries(stage, tree), size: sizeKiB(tree, files) };
    writeTree(tree, controlEntries(project, tree, files, facts), changelog.timeSeconds);
    mkdirSync(folder, { recursive: true });
    const target = join(folder, `tortie_${version}_${architecture}.deb`);
    const settings = [`SOURCE_DATE_EPOCH=${changelog.timeSeconds}`, 'DPKG_DEB_THREADS_MAX=1', 'TZ=UTC', 'LC_ALL=C'];
    await runCommand(['env', ...settings, 'dpkg-deb', '-Zxz', '--root-owner-group', '--build', tree, target]);
    return target;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function packageEntries(project: string): Entry[] {
  const packaging = (name: string): string => join(project, 'packaging', name);
  const modules = productionModules(project);
  return [
    ...applicationEntries(project, modules),
    ...commandEntries(project),
    ...SHELLS.map((shell): Entry => ({ path: COMPLETIONS[shell], kind: 'text', text: `${SCRIPTS[shell]}\n` })),
    ...['tortie.service', 'tortie-probe.service'].map((unit): Entry => {
      return { path: `usr/lib/systemd/system/${unit}`, kind: 'copy', from: packaging(unit) };
    }),
    { path: 'etc/tortie/tortie.yaml', kind: 'copy', from: packaging('tortie.yaml') },
    { path: 'etc/default/tortie', kind: 'copy', from: packaging('debian/default') },
    { path: 'etc/tortie/manifests', kind: 'directory' },
    { path: `${DOCUMENTS}/copyright`, kind: 'text', text: copyrightText(project, modules) },
    { path: `${DOCUMENTS}/changelog.gz`, kind: 'text', text: compress(readFileSync(packaging('debian/changelog'))) },
    ...documentEntries(project),
    { path: 'usr/share/lintian/overrides/tortie', kind: 'copy', from: packaging('debian/lintian-overrides') },
  ];
}

interface PackageFacts {
  readonly version: string;
  readonly architecture: string;
  readonly libraries: string;
  readonly size: number;
}

function controlEntries(project: string, tree: string, files: readonly Entry[], facts: PackageFacts): Entry[] {
  const read = (name: string): string => readFileSync(join(project, 'packaging/debian', name), 'utf8');
  const control = read('control').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = (facts as unknown as Readonly<Record<string, unknown>>)[name];
    if (value === undefined) throw new Error(`packaging/debian/control: nothing is known of ${name}`);
    return String(value);
  });
  const plain = completeTree(files).filter(({ kind }) => kind === 'text' || kind === 'copy');
  const sums = plain
    .filter(({ path }) => !path.startsWith('etc/'))
    .map(
      ({ path }) =>
        `${createHash('md5')
          .update(readFileSync(join(tree, path)))
          .digest('hex')}  ${path}\n`,
    );
  const conffiles = plain.filter(({ path }) => path.startsWith('etc/')).map(({ path }) => `/${path}\n`);
  return [
    { path: 'DEBIAN/control', kind: 'text', text: control },
    { path: 'DEBIAN/conffiles', kind: 'text', text: conffiles.join('') },
    { path: 'DEBIAN/md5sums', kind: 'text', text: sums.join('') },
    ...MAINTAINER_SCRIPTS.map(
      (name): Entry => ({ path: `DEBIAN/${name}`, kind: 'text', text: read(name), mode: 0o755 }),
    ),
  ];
}

/** Throws where the package that has the program is not installed. */
async function requireTool(program: string, packageName: string): Promise<void> {
  const found = await runCommand(['sh', '-c', `command -v ${program} || true`]);
  if (found.stdout === '') throw new Error(`${program} is missing (run: apt-get install ${packageName})`);
}

/** Dependencies on the packages of shared libraries, with the versions that have the symbols in use. */
async function findLibraries(stage: string, tree: string): Promise<string> {
  writeTree(
    stage,
    [{ path: 'debian/control', kind: 'text', text: 'Source: tortie\n\nPackage: tortie\nArchitecture: any\n' }],
    0,
  );
  const found = await runCommand(['find', join(tree, HOME), '-name', '*.node']);
  const objects = found.stdout.trim().split('\n').sort();
  const { stdout } = await runCommand([
    'env',
    '-C',
    stage,
    'dpkg-shlibdeps',
    '-O',
    ...objects.map((one) => `-e${one}`),
  ]);
  return /^shlibs:Depends=(.+)$/m.exec(stdout)?.[1] ?? '';
}

/** As dpkg-gencontrol counts it: files by whole KiB, anything else by one. */
function sizeKiB(tree: string, files: readonly Entry[]): number {
  return completeTree(files)
    .map((entry) => (entry.kind === 'text' || entry.kind === 'copy' ? readFileSync(join(tree, entry.path)).length : 1))
    .reduce((sum, bytes) => sum + Math.ceil(bytes / 1024), 0);
}

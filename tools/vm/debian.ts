// Debian's package lists and archives through apt, with lists, state and cache of our own: the host's are never touched.
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type DebianPackage, namePattern, parsePackages } from './kernel-choice.ts';
import { runTool } from './run-tool.ts';

/** Between them these have every kernel that Debian supports. */
const SUITES = ['bullseye', 'bookworm', 'trixie', 'trixie-backports', 'sid'];
const WITH_SECURITY = new Set(['bullseye', 'bookworm', 'trixie']);
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const LISTS_LAST_MS = 6 * 3_600_000;

export class Debian {
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;

  /** Keeps lists and archives below the folder. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#env = { APT_CONFIG: path.join(folder, 'apt.conf') };
  }

  /** Brings the lists up to date unless they are a few hours young. Throws VmFailure without a network. */
  async update(): Promise<void> {
    const stamp = path.join(this.#folder, 'updated');
    const age = Date.now() - (statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0);
    if (age < LISTS_LAST_MS) return;
    this.#configure();
    await runTool('apt-get', ['update', '-qq', '-o', 'APT::Update::Error-Mode=any'], { env: this.#env });
    writeFileSync(stamp, '');
  }

  /** What the lists say about every part of the kernels of a request. */
  async kernelPackages(request: string): Promise<DebianPackage[]> {
    const found = await runTool('apt-cache', ['search', '--names-only', namePattern(request)], { env: this.#env });
    const names = found
      .toString()
      .split('\n')
      .flatMap((line) => line.split(' ')[0] || []);
    if (names.length === 0) return [];
    return parsePackages((await runTool('apt-cache', ['show', ...names], { env: this.#env })).toString());
  }

  /** Fetches the archives of packages into a folder. Throws VmFailure. */
  async download(names: readonly string[], folder: string): Promise<void> {
    await runTool('apt-get', ['download', '-qq', ...names], { cwd: folder, env: this.#env });
  }

  #configure(): void {
    const folder = this.#folder;
    for (const name of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(path.join(folder, name), { recursive: true });
    }
    const lines = SUITES.flatMap((suite) => [
      `deb [arch=amd64 signed-by=${KEYRING}] http://deb.debian.org/debian ${suite} main`,
      ...(WITH_SECURITY.has(suite)
        ? [`deb [arch=amd64 signed-by=${KEYRING}] http://deb.debian.org/debian-security ${suite}-security main`]
        : []),
    ]);
    writeFileSync(path.join(folder, 'sources.list'), `${lines.join('\n')}\n`);
    writeFileSync(path.join(folder, 'status'), '');
    const settings = {
      'Dir::Etc::SourceList': path.join(folder, 'sources.list'),
      'Dir::Etc::SourceParts': '-',
      'Dir::State': folder,
      'Dir::State::Status': path.join(folder, 'status'),
      'Dir::State::Lists': path.join(folder, 'lists'),
      'Dir::Cache': path.join(folder, 'cache'),
      'Acquire::Languages': 'none',
      // The unprivileged user that apt would download as cannot reach a folder below root's home.
      'APT::Sandbox::User': 'root',
    };
    const text = Object.entries(settings).map(([name, value]) => `${name} ${JSON.stringify(value)};\n`);
    writeFileSync(path.join(folder, 'apt.conf'), text.join(''));
  }
}

// The manifest files of a directory as a git revision has them. Runs git itself, never a shell; reads, changes nothing.
import { isUtf8 } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { DataplaneError } from '../base/errors.ts';
import { DEFAULT_MANIFEST_LIMITS } from '../resources/sources/manifest-limits.ts';

export interface TreeFile {
  /** Relative to the directory, with `/`. */
  readonly path: string;
  readonly text: string;
}

export interface TreeFiles {
  /** Sorted by path. */
  readonly files: readonly TreeFile[];
  readonly errors: readonly DataplaneError[];
}

interface TreeEntry {
  readonly mode: string;
  readonly type: string;
  readonly object: string;
  readonly sizeBytes: number;
  readonly path: string;
}

const SYMBOLIC_LINK = '120000';
const MAX_OUTPUT_BYTES = 1024 * 1024 * 1024;

/**
 * Manifests below `<revision>:<path>` of the repository that holds `directory` (path `./x` is relative to it, others to
 * the repository), chosen as in a directory: *.yaml, *.yml, *.json, no names that begin with a dot or a #. Symbolic
 * links and submodules are errors, because what they stand for is not in the revision. Throws USAGE, NOT_FOUND and
 * FILE_UNREADABLE.
 */
export function readGitTree(revision: string, path: string, directory = process.cwd()): TreeFiles {
  const target = `${revision}:${path}`;
  if (revision === '' || revision.startsWith('-')) {
    throw new DataplaneError('USAGE', 'is not a revision', {
      operation: 'read revision',
      target,
      found: revision === '' ? 'nothing' : revision,
      expected: 'a commit, branch or tag',
    });
  }
  requireRepository(directory, target);
  const commit = resolve(directory, `${revision}^{commit}`, target, 'no such revision');
  const tree = resolve(directory, `${commit}:${path}`, target, 'no such path in the revision');
  if (git(directory, target, ['cat-file', '-t', tree]).toString().trim() !== 'tree') {
    throw new DataplaneError('NOT_FOUND', 'is not a directory', { operation: 'read revision', target });
  }
  const entries = listEntries(git(directory, target, ['ls-tree', '-r', '-z', '-l', tree]).toString('utf8'));
  const errors = entries.flatMap((entry) => entryError(entry) ?? []);
  const readable = entries.filter((entry) => entryError(entry) === undefined);
  const texts = readBlobs(directory, target, readable);
  const files: TreeFile[] = [];
  for (const [index, { path: file }] of readable.entries()) {
    const bytes = texts[index] as Buffer;
    if (isUtf8(bytes)) files.push({ path: file, text: bytes.toString('utf8') });
    else errors.push(fileError('YAML_SYNTAX', file, 'is not UTF-8'));
  }
  return { files, errors };
}

function requireRepository(directory: string, target: string): void {
  try {
    run(directory, ['rev-parse', '--git-dir']);
  } catch (cause) {
    const { code, stderr } = cause as NodeJS.ErrnoException & { readonly stderr?: Buffer };
    const what = code === 'ENOENT' ? 'git is not installed' : 'there is no git repository';
    const found = stderr?.toString('utf8').trim().split('\n')[0];
    throw new DataplaneError('NOT_FOUND', what, { operation: 'read revision', target, found, cause });
  }
}

/** Object id of an expression that does not begin with a dash. */
function resolve(directory: string, expression: string, target: string, what: string): string {
  try {
    return run(directory, ['rev-parse', '--verify', '--quiet', '--end-of-options', expression]).toString().trim();
  } catch (cause) {
    throw new DataplaneError('NOT_FOUND', what, { operation: 'read revision', target, cause });
  }
}

function git(directory: string, target: string, parameters: readonly string[], input?: string): Buffer {
  try {
    return run(directory, parameters, input);
  } catch (cause) {
    const { stderr } = cause as { readonly stderr?: Buffer };
    const found = stderr?.toString('utf8').trim().split('\n')[0] || String(cause);
    throw new DataplaneError('FILE_UNREADABLE', 'git failed', { operation: 'read revision', target, found, cause });
  }
}

/** The index is not needed, so that it is not refreshed either. */
function run(directory: string, parameters: readonly string[], input?: string): Buffer {
  return execFileSync('git', parameters, {
    cwd: directory,
    input: input ?? '',
    stdio: ['pipe', 'pipe', 'pipe'],
    maxBuffer: MAX_OUTPUT_BYTES,
    env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
  });
}

/** `<mode> <type> <object> <size>\t<path>`, ended by NUL; the size of what is no blob is `-`. */
function listEntries(output: string): TreeEntry[] {
  const entries = output
    .split('\0')
    .filter((line) => line !== '')
    .map((line): TreeEntry => {
      const tab = line.indexOf('\t');
      const [mode = '', type = '', object = '', size = ''] = line.slice(0, tab).split(/ +/);
      return { mode, type, object, sizeBytes: Number(size) || 0, path: line.slice(tab + 1) };
    });
  return entries
    .filter(({ path }) => !path.split('/').some((name) => name.startsWith('.') || name.startsWith('#')))
    .filter(({ mode, type, path }) => type === 'commit' || mode === SYMBOLIC_LINK || /\.(?:yaml|yml|json)$/.test(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

function entryError({ mode, type, path, sizeBytes }: TreeEntry): DataplaneError | undefined {
  if (type === 'commit') return fileError('FILE_UNREADABLE', path, 'is a submodule: its files are not in the revision');
  if (mode === SYMBOLIC_LINK)
    return fileError('FILE_UNREADABLE', path, 'is a symbolic link: not followed in a revision');
  if (sizeBytes <= DEFAULT_MANIFEST_LIMITS.bytesPerFile) return undefined;
  return fileError('FILE_TOO_LARGE', path, `is too large: ${sizeBytes} bytes`);
}

function fileError(
  code: 'FILE_UNREADABLE' | 'FILE_TOO_LARGE' | 'YAML_SYNTAX',
  path: string,
  what: string,
): DataplaneError {
  return new DataplaneError(code, what, { operation: 'read', target: path, file: path });
}

/** Contents in the order of the entries: `<object> blob <size>\n<content>\n` each. */
function readBlobs(directory: string, target: string, entries: readonly TreeEntry[]): Buffer[] {
  if (entries.length === 0) return [];
  const output = git(directory, target, ['cat-file', '--batch'], entries.map(({ object }) => `${object}\n`).join(''));
  const texts: Buffer[] = [];
  let at = 0;
  for (const { path } of entries) {
    const end = output.indexOf('\n', at);
    const [, type, size] = output.toString('latin1', at, end).split(' ');
    if (end === -1 || type !== 'blob') {
      throw new DataplaneError('FILE_UNREADABLE', 'git has no content', {
        operation: 'read revision',
        target,
        found: path,
      });
    }
    texts.push(output.subarray(end + 1, end + 1 + Number(size)));
    at = end + 1 + Number(size) + 1;
  }
  return texts;
}

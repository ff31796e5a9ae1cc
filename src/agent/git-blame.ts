// Who last changed a line of a file that is kept in git. Runs git itself, never a shell; reads, changes nothing.
import { execFileSync } from 'node:child_process';

export interface LineAuthor {
  readonly commit: string;
  readonly author: string;
  /** ISO 8601; undefined = not committed yet. */
  readonly time?: string;
  readonly summary: string;
}

const TIMEOUT_MS = 5000;
const MAX_OUTPUT_BYTES = 64 * 1024;
const UNCOMMITTED = /^0+$/;

/** undefined = the file is in no repository, or git cannot say. `file` is relative to the directory. */
export function blameLine(directory: string, file: string, line: number): LineAuthor | undefined {
  if (line < 1 || file === '' || file.startsWith('-')) return undefined;
  try {
    const parameters = ['blame', '--porcelain', '-L', `${line},${line}`, '--', file];
    const output = execFileSync('git', parameters, {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      env: { ...process.env, GIT_OPTIONAL_LOCKS: '0', LC_ALL: 'C' },
    });
    return parseBlame(output.toString('utf8'));
  } catch {
    return undefined;
  }
}

function parseBlame(text: string): LineAuthor | undefined {
  const lines = text.split('\n');
  const commit = lines[0]?.split(' ')[0] ?? '';
  const field = (name: string): string =>
    lines.find((each) => each.startsWith(`${name} `))?.slice(name.length + 1) ?? '';
  if (!/^[\da-f]{40,64}$/.test(commit)) return undefined;
  if (UNCOMMITTED.test(commit)) return { commit: '', author: '', summary: 'not committed yet' };
  const seconds = Number(field('author-time'));
  return {
    commit: commit.slice(0, 12),
    author: field('author'),
    time: new Date(seconds * 1000).toISOString(),
    summary: field('summary'),
  };
}

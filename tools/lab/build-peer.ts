// Compiles the traffic peer when its sources are newer than the program. No other build step is done here.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../src/bench/command.ts';
import { findProject } from './project.ts';

const SOURCES = join('tools', 'lab', 'peer');
const PROGRAM = join('build', 'lab', 'peer');
// Static: the same program then runs in a guest whose C library is older.
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror', '-static'];

let building: Promise<string> | undefined;

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

async function buildPeer(): Promise<string> {
  const root = findProject();
  const program = join(root, PROGRAM);
  const files = readdirSync(join(root, SOURCES)).map((name) => join(root, SOURCES, name));
  const built = modifiedMs(program);
  if (built !== undefined && files.every((file) => (modifiedMs(file) ?? 0) <= built)) return program;
  mkdirSync(dirname(program), { recursive: true });
  // Renamed into place: several test processes may build at once, and one may be running the old program.
  const temporary = `${program}.${process.pid}`;
  try {
    await runCommand(['cc', ...FLAGS, '-o', temporary, ...files.filter((file) => file.endsWith('.c'))]);
    renameSync(temporary, program);
  } finally {
    rmSync(temporary, { force: true });
  }
  return program;
}

/** Path of the peer program, compiled if needed. Throws NOT_FOUND (no compiler), KERNEL (it failed) or OBJECT_MISSING. */
export function ensurePeer(): Promise<string> {
  building ??= buildPeer();
  return building;
}

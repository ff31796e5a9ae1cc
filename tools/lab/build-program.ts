// Compiles a C program of the lab when its sources are newer than it: every file of tools/lab/<name>. No other build step is done here.
import { mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCommand } from '../../src/bench/command.ts';
import { findProject } from './project.ts';

// Static: the same program then runs in a guest whose C library is older.
const FLAGS = ['-O2', '-Wall', '-Wextra', '-Werror', '-static'];

const building = new Map<string, Promise<string>>();

function modifiedMs(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

async function buildProgram(name: string): Promise<string> {
  const root = findProject();
  const folder = join(root, 'tools', 'lab', name);
  const program = join(root, 'build', 'lab', name);
  const files = readdirSync(folder).map((file) => join(folder, file));
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

/** Path of a program, compiled if needed. Throws NOT_FOUND (no compiler), KERNEL (it failed) or OBJECT_MISSING. */
export function ensureProgram(name: string): Promise<string> {
  const started = building.get(name) ?? buildProgram(name);
  building.set(name, started);
  return started;
}

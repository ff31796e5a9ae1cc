// Where the project is, for code that runs from its sources as well as from a compiled copy some folders deeper.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DataplaneError } from '../../src/base/errors.ts';

/** A source file that no compiled copy holds. */
const LANDMARK = join('tools', 'lab', 'peer', 'main.c');
const COMMAND = join('dist', 'cli', 'main.js');

/** The project's folder. Throws OBJECT_MISSING. */
export function findProject(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, LANDMARK))) return folder;
  }
  throw new DataplaneError('OBJECT_MISSING', 'not in any folder above', {
    operation: 'find',
    target: LANDMARK,
    found: start,
  });
}

/** An argument vector that runs `tortie`, or whatever TORTIE_PROGRAM names. Throws OBJECT_MISSING when it is not built. */
export function tortieCommand(...argv: readonly string[]): string[] {
  return programCommand(process.env.TORTIE_PROGRAM ?? join(findProject(), COMMAND), ...argv);
}

/**
 * The same of another build's command. Node gets the words of TORTIE_NODE_FLAGS, such as --cpu-prof. Throws OBJECT_MISSING when
 * it is not built.
 */
export function programCommand(program: string, ...argv: readonly string[]): string[] {
  if (!existsSync(program)) {
    throw new DataplaneError('OBJECT_MISSING', 'is not there', {
      operation: 'run',
      target: program,
      hint: 'npm run build',
    });
  }
  const flags = (process.env.TORTIE_NODE_FLAGS ?? '').split(' ').filter((flag) => flag !== '');
  return [process.execPath, ...flags, program, ...argv];
}

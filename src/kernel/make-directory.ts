// Directories for pins and state, below whatever an operator names.
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory and those above it that are missing, for their owner only. Throws what mkdir says. Node's own recursive mkdirSync
 * does not return where a parent is there and nothing can be made in it (ENOENT): below /proc, or where bpffs has been unmounted.
 */
export function makeDirectory(path: string): void {
  if (isMade(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  // Whoever was faster has made it too.
  if (!isMade(path)) mkdirSync(path, { mode: 0o700 });
}

/** False = those above it are missing, or refuse it. */
function isMade(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return true;
    if (code === 'ENOENT') return false;
    throw error;
  }
}

// The traffic peer as a program that can be run.
import { ensureProgram } from './build-program.ts';

/** Path of the peer program, compiled if needed. Throws NOT_FOUND (no compiler), KERNEL (it failed) or OBJECT_MISSING. */
export function ensurePeer(): Promise<string> {
  return ensureProgram('peer');
}

// What a step was last made from: a hash over the contents of its inputs, outputs and command line. Contents, not
// times, so a fresh checkout or a touched file never rebuilds and a restored file always does.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildDir, root } from './process.mjs';

/** True if the step last ended with exactly these files (absent ones count as such) and this extra text. */
export function isFresh(step, files, extra) {
  try {
    return readFileSync(stampFile(step), 'utf8') === fingerprint(files, extra);
  } catch {
    return false;
  }
}

export function writeStamp(step, files, extra) {
  const file = stampFile(step);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, fingerprint(files, extra));
}

export function dropStamp(step) {
  rmSync(stampFile(step), { force: true });
}

function stampFile(step) {
  return path.join(buildDir, 'stamps', step);
}

function fingerprint(files, extra) {
  const hash = createHash('sha256').update(JSON.stringify(extra));
  for (const file of files) hash.update(`\0${file}\0`).update(contents(path.resolve(root, file)));
  return hash.digest('hex');
}

function contents(file) {
  try {
    return createHash('sha256').update(readFileSync(file)).digest();
  } catch {
    return 'absent';
  }
}

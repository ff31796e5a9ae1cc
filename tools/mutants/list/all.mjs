// Every defence that is taken out: where it stands, and which tests have to notice.
import { guardMutants } from './guard.mjs';
import { hostMutants } from './host.mjs';
import { identityMutants } from './identity.mjs';
import { memoryMutants, orderMutants } from './memory.mjs';
import { parseMutants } from './parse.mjs';
import { resetMutants } from './reset.mjs';
import { sourceMutants } from './source.mjs';

/** `file` is relative to the project; `before` stands in it once. */
export const allMutants = [
  ...parseMutants,
  ...identityMutants,
  ...memoryMutants,
  ...orderMutants,
  ...guardMutants,
  ...hostMutants,
  ...resetMutants,
  ...sourceMutants,
].map(([file, defence, before, after, suite = 'packet']) => ({
  name: `${file.replace(/^(?:\.\.\/\w+|src\/.*)\//, '')}: ${defence}`,
  file: placeOf(file),
  before,
  after,
  suite,
}));

function placeOf(file) {
  if (file.startsWith('src/')) return file;
  return file.startsWith('../') ? file.replace('..', 'bpf') : `bpf/stages/${file}`;
}

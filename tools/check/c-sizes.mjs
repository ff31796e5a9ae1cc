// Sizes of C and C++: what Biome says about TypeScript, said about the kernel's and the addon's side.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build-steps/process.mjs';

const fileLines = 300;
const functionLines = 100;

/** One sentence for each file and function that is too long. Files are relative to the root. */
export function findLongC(files) {
  return files.flatMap((file) => {
    const lines = readFileSync(path.join(root, file), 'utf8').trimEnd().split('\n');
    const long =
      lines.length > fileLines ? [`${file}: ${lines.length} lines, at most ${fileLines}: split it by concern`] : [];
    return [...long, ...findLongFunctions(file, lines)];
  });
}

/** A body begins with a brace that ends a line at the margin's level and ends with one alone at the margin. */
function findLongFunctions(file, lines) {
  const problems = [];
  let start = -1;
  for (const [index, line] of lines.entries()) {
    if (start < 0 && /^(\{|\S.*\)( const| override| noexcept)* \{)$/.test(line) && !/^namespace|^extern/.test(line))
      start = index;
    if (start < 0 || !/^\}/.test(line)) continue;
    const length = index - start + 1;
    if (length > functionLines)
      problems.push(`${file}:${start + 1}: function of ${length} lines, at most ${functionLines}`);
    start = -1;
  }
  return problems;
}

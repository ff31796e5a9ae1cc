// The part of docs/attacks.md that says which removed defence was noticed by which test. Earlier results stay until the mutant is run again.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildDir, root } from '../build-steps/process.mjs';

const BEGIN = '<!-- mutants: written by npm run test:mutants -->';
const END = '<!-- mutants: end -->';
const DOCUMENT = path.join(root, 'docs/attacks.md');
const RESULTS = path.join(buildDir, 'mutants.json');

/** Of the runs before, on this machine. */
export function readResults() {
  return existsSync(RESULTS) ? JSON.parse(readFileSync(RESULTS, 'utf8')) : [];
}

/** Later results replace earlier ones of the same name; mutants without any are not listed. */
export function writeResults(mutants, results) {
  const latest = new Map(results.map((result) => [result.name, result]));
  const known = mutants.map(({ name }) => latest.get(name)).filter((result) => result !== undefined);
  mkdirSync(buildDir, { recursive: true });
  writeFileSync(RESULTS, JSON.stringify(known));
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${DOCUMENT}: no place for the mutants`);
  writeFileSync(DOCUMENT, `${before}${BEGIN}\n${table(known)}${END}${after}`);
}

function table(results) {
  const noticed = results.filter(({ state }) => state === 'noticed');
  const rows = noticed.map(({ name, file, test }) => {
    const [stage, ...defence] = name.split(': ');
    return `| ${stage} | ${defence.join(': ')} | ${cell(test)} | ${file.replace('test/', '')} |\n`;
  });
  const others = results.filter(({ state }) => state !== 'noticed').map(({ name, state }) => `- ${state}: ${name}\n`);
  const head = `\n${noticed.length} of ${results.length} removed defences are noticed.\n\n| stage | defence that is taken out | first test that fails | file |\n|---|---|---|---|\n`;
  return `${head}${rows.join('')}\n${others.length > 0 ? `${others.join('')}\n` : ''}`;
}

function cell(text) {
  return text.split('\n')[0].replaceAll('|', '\\|');
}

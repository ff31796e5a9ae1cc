// The part of docs/attacks.md that says which removed defence was noticed by which test. Earlier results stay until the mutant is run again.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../build-steps/process.mjs';

const BEGIN = '<!-- mutants: written by npm run test:mutants -->';
const END = '<!-- mutants: end -->';
const DOCUMENT = path.join(root, 'docs/attacks.md');

/** Replaces what the document says of these mutants. Of each one that still exists the rest stays; mutants without any result are not listed. */
export function writeResults(mutants, results) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const [before, rest] = text.split(BEGIN);
  const [written, after] = rest?.split(END) ?? [];
  if (after === undefined) throw new Error(`${DOCUMENT}: no place for the mutants`);
  writeFileSync(DOCUMENT, `${before}${BEGIN}\n${tableOf(latestOf(mutants, written, results))}${END}${after}`);
}

/** Results of all runs, in the order of the mutants; later ones replace earlier ones of the same name. */
export function latestOf(mutants, written, results) {
  const latest = new Map([...readTable(written), ...results].map((result) => [result.name, result]));
  return mutants.map(({ name }) => latest.get(name)).filter((result) => result !== undefined);
}

export function tableOf(results) {
  const noticed = results.filter(({ state }) => state === 'noticed');
  const rows = noticed.map(({ name, file, test }) => {
    const [stage, ...defence] = name.split(': ');
    return `| ${stage} | ${defence.join(': ')} | ${cell(test)} | ${file.replace('test/', '')} |\n`;
  });
  const others = results.filter(({ state }) => state !== 'noticed').map(({ name, state }) => `- ${state}: ${name}\n`);
  const head = `\n${noticed.length} of ${results.length} removed defences are noticed.\n\n| stage | defence that is taken out | first test that fails | file |\n|---|---|---|---|\n`;
  return `${head}${rows.join('')}\n${others.length > 0 ? `${others.join('')}\n` : ''}`;
}

/** What `tableOf` has written. */
function readTable(text) {
  const lines = text.split('\n');
  const noticed = lines.map((line) => /^\| (\S+\.(?:h|ts)) \| (.+?) \| (.+) \| (\S+) \|$/.exec(line)).filter(Boolean);
  const others = lines.map((line) => /^- (survived|refused): (.+)$/.exec(line)).filter(Boolean);
  return [
    ...noticed.map(([, stage, defence, test, file]) => ({
      name: `${stage}: ${defence}`,
      state: 'noticed',
      test: test.replaceAll('\\|', '|'),
      file: `test/${file}`,
    })),
    ...others.map(([, state, name]) => ({ name, state })),
  ];
}

function cell(text) {
  return text.split('\n')[0].replaceAll('|', '\\|');
}

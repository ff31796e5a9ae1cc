// Writes src/abi/*.gen.ts from build/bpf/abi.bpf.o, or with --check says whether they are what it would write.
// The rules of what may cross are in tools/gen-abi/layout.ts.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { generate } from './gen-abi/generate.ts';
import type { Header } from './gen-abi/headers.ts';

const HEADERS = 'bpf/abi';
const OBJECT = 'build/bpf/abi.bpf.o';
const OUTPUT = 'src/abi';

process.exitCode = main(process.argv.includes('--check'));

function main(isCheck: boolean): number {
  try {
    const files = generate(readFileSync(OBJECT), readHeaders());
    return isCheck ? compare(files) : write(files);
  } catch (error) {
    if (!isCheck) removeOutput([]);
    console.error(`gen-abi: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

function readHeaders(): Header[] {
  const names = readdirSync(HEADERS).filter((name) => name.endsWith('.h'));
  return names
    .toSorted()
    .map((name) => ({ name: path.basename(name, '.h'), text: readFileSync(path.join(HEADERS, name), 'utf8') }));
}

function write(files: ReadonlyMap<string, string>): number {
  mkdirSync(OUTPUT, { recursive: true });
  removeOutput([...files.keys()]);
  for (const [name, text] of files) writeFileSync(path.join(OUTPUT, name), text);
  console.log(`wrote ${[...files.keys()].join(', ')}`);
  return 0;
}

/** Also after a failure: old layouts beside new headers are worse than none. */
function removeOutput(keep: readonly string[]): void {
  for (const name of outputNames()) {
    if (!keep.includes(name)) rmSync(path.join(OUTPUT, name));
  }
}

function compare(files: ReadonlyMap<string, string>): number {
  const strange = outputNames().filter((name) => !files.has(name));
  const stale = [...files]
    .filter(([name, text]) => readOrNothing(path.join(OUTPUT, name)) !== text)
    .map(([name]) => name);
  const wrong = [...strange, ...stale];
  if (wrong.length === 0) return 0;
  console.error(
    `gen-abi: ${wrong.map((name) => path.join(OUTPUT, name)).join(', ')}: not what bpf/abi says (run: npm run build:abi)`,
  );
  return 1;
}

function outputNames(): string[] {
  try {
    return readdirSync(OUTPUT).filter((name) => name.endsWith('.gen.ts'));
  } catch {
    return [];
  }
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

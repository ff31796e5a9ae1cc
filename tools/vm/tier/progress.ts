// What a guest's tests say while they run, told file by file: a run of minutes must not be silent. Pure but for `tell`.
import { parseReport, type TestResult } from './results.ts';

/** A test of more is named. */
const SLOW_MS = 20_000;

export class Progress {
  readonly #tell: (what: string) => void;
  #rest = '';
  #file: string | undefined;
  #results: TestResult[] = [];

  constructor(tell: (what: string) => void) {
    this.#tell = tell;
  }

  /** Any part of the guest's output, lines unfinished or not. */
  accept(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const result of parseReport(lines.join('\n')).results) this.#add(result);
  }

  /** Tells of the last file. */
  end(): void {
    this.#tellFile();
  }

  #add(result: TestResult): void {
    if (result.file !== this.#file) this.#tellFile();
    this.#file = result.file;
    this.#results.push(result);
  }

  #tellFile(): void {
    if (this.#file === undefined) return;
    const failed = this.#results.filter(({ outcome }) => outcome === 'failed').length;
    const passed = this.#results.filter(({ outcome }) => outcome === 'passed').length;
    const ms = this.#results.reduce((sum, result) => sum + result.ms, 0);
    const counts = `${passed} passed${failed > 0 ? `, ${failed} FAILED` : ''}`;
    const slow = this.#results.filter((result) => result.ms >= SLOW_MS);
    const lines = slow.map((result) => `\n  ${toSeconds(result.ms)} for: ${result.title}`);
    this.#tell(`${nameOf(this.#file)}: ${counts} (${toSeconds(ms)})${lines.join('')}`);
    this.#file = undefined;
    this.#results = [];
  }
}

function toSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(0)} s`;
}

/** test-packet-parse-test.mjs -> packet/parse. */
function nameOf(file: string): string {
  const [, tier, name] = /test-(\w+)-(.*?)-test\.mjs$/.exec(file) ?? [];
  return tier === undefined ? file : `${tier}/${name}`;
}

// The door of the long generated runs: what it asks of the tests, and what it says at the end.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const TIMEOUT_MS = 180_000;

function run(...parameters: readonly string[]): { status: number | null; output: string } {
  const env = { ...process.env, NO_COLOR: '1', TORTIE_SEED: '1' };
  const script = path.join(root, 'tools/test-exact.mjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...parameters], { cwd: root, env });
  return { status, output: `${stdout}${stderr}` };
}

describe('npm run test:exact', () => {
  it.each([
    [
      '--only=tables,nothing',
      'no pair nothing (pairs: tables, incremental, selectors, kernel, host-tables, host-kernel)',
    ],
    ['--flows=many', '--flows: found many, expected a whole number above 0'],
    ['--histories=0', '--histories: found 0, expected a whole number above 0'],
    ['--worlds=1', "Unknown option '--worlds'"],
  ])('refuses %s', (parameter, message) => {
    const { status, output } = run(parameter);
    expect(status).toBe(2);
    expect(output).toContain(message);
  });

  it('judges as many flows as asked, from the seed that it names', { timeout: TIMEOUT_MS }, () => {
    const { status, output } = run('--only=tables', '--flows=7', '--seed=42');
    expect(output).toContain('model == tables: TORTIE_SEED=42');
    const judged = [...output.matchAll(/^model == tables: (\d+) flows in/gm)].map((match) => Number(match[1]));
    expect(judged.reduce((sum, count) => sum + count, 0)).toBe(7);
    expect(output).toMatch(/^exact: all agree, [\d.]+ s, seed 42$/m);
    expect(status).toBe(0);
  });
});

// The last line of a test run and its exit code, on a copy of the door with tests that pass, fail, warn and break.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');

describe('npm test', () => {
  let copy = '';

  beforeAll(() => {
    copy = mkdtempSync(path.join(os.tmpdir(), 'tortie-test-door-'));
    for (const file of [
      'package.json',
      'vitest.config.ts',
      'tools/test.mjs',
      'tools/test',
      'tools/build-steps',
      'test/support/fail-on-warning.ts',
    ]) {
      cpSync(path.join(root, file), path.join(copy, file), { recursive: true });
    }
    symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  function run(
    tests: Readonly<Record<string, string>>,
    ...parameters: string[]
  ): { status: number | null; lastLine: string; output: string } {
    rmSync(path.join(copy, 'test/unit'), { recursive: true, force: true });
    mkdirSync(path.join(copy, 'test/unit'), { recursive: true });
    for (const [name, body] of Object.entries(tests)) {
      writeFileSync(path.join(copy, `test/unit/${name}.test.ts`), `import { expect, it } from 'vitest';\n${body}\n`);
    }
    const env = {
      ...process.env,
      NO_COLOR: '1',
      VITEST: undefined,
      VITEST_POOL_ID: undefined,
      VITEST_WORKER_ID: undefined,
    };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/test.mjs', ...parameters], {
      cwd: copy,
      encoding: 'utf8',
      env,
    });
    return { status, lastLine: stdout.trimEnd().split('\n').at(-1) ?? '', output: stdout + stderr };
  }

  const good = "it('holds', () => expect(1).toBe(1));";

  it('counts as failures what fails, warns, is unhandled or does not load', () => {
    const late = 'await new Promise((resolve) => setTimeout(resolve, 20));';
    const files = {
      good: `${good}\nit.skip('later', () => {});`,
      failing: "it('breaks', () => expect(1).toBe(2));",
      warning: `it('warns', async () => { process.emitWarning('beware'); ${late} });`,
      unhandled: `it('lets go', async () => { Promise.reject(new Error('lost')); ${late} });`,
      absent: "import './nothing.ts';",
    };
    const all = run(files, 'unit');
    expect(all).toMatchObject({ status: 1, lastLine: '3 passed, 4 failed, 1 skipped' });
    expect(all.output).toContain('beware');
    expect(all.output).toContain('lost');
  });

  it('runs the files that are named, and fails when there are none of that name', () => {
    expect(run({ a: good, b: good }, 'unit/a', '--', '-t', 'holds')).toMatchObject({
      status: 0,
      lastLine: '1 passed, 0 failed',
    });
    expect(run({ a: good }, 'unit/z')).toMatchObject({ status: 1 });
  });

  it('fails a tier whose needs are missing, unless it is left out by name', () => {
    const missing = run({ a: good });
    expect(missing).toMatchObject({ status: 1 });
    expect(missing.output).toContain(
      'tier packet cannot run: build/bpf/abi.bpf.o, build/Release/tortie.node is missing: run npm run build',
    );
    expect(run({ a: good }, '--without=abi,packet,attacks,fuzz,host,proof,traffic,vm')).toMatchObject({
      status: 0,
      lastLine: '1 passed, 0 failed',
    });
  });

  it('does not take a tier or an option that it does not know', () => {
    expect(run({}, 'units')).toMatchObject({ status: 2 });
    expect(run({}, '--watch')).toMatchObject({ status: 2 });
    expect(run({}, '--without=every')).toMatchObject({ status: 2 });
  });
});

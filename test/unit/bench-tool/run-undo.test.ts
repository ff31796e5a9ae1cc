import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UndoStack } from '../../../bench/run-undo.ts';

/** A process of its own, since signals end it: sets up two things, then does what the test says. */
const child = (log: string, during: string): string => `
import { appendFileSync } from 'node:fs';
import { UndoStack } from './run-undo.mjs';
const undo = new UndoStack((text) => process.stderr.write(text + '\\n'));
const note = (text) => appendFileSync(${JSON.stringify(log)}, text + '\\n');
${during}
`;

const TWO_THINGS = `
undo.add(async () => { await new Promise((done) => setTimeout(done, 20)); note('first'); });
undo.add(() => { throw new Error('stuck'); });
undo.add(() => note('last'));
`;
const WAIT = `setInterval(() => undefined, 1000); process.stdout.write('ready');`;
const SPIN = `process.stdout.write('ready'); for (;;) {}`;

describe('what a run set up', () => {
  let folder: string;
  let log: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-undo-'));
    log = join(folder, 'log');
    writeFileSync(log, '');
    const source = readFileSync(join(import.meta.dirname, '../../../bench/run-undo.ts'), 'utf8');
    const compilerOptions = { target: ScriptTarget.ES2022, module: ModuleKind.ESNext };
    writeFileSync(join(folder, 'run-undo.mjs'), transpileModule(source, { compilerOptions }).outputText);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function start(during: string): Promise<ChildProcess> {
    const script = join(folder, 'child.mjs');
    writeFileSync(script, child(log, during));
    const started = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'ignore'] });
    await once(started.stdout as NonNullable<typeof started.stdout>, 'data');
    return started;
  }

  async function end(started: ChildProcess, signal: NodeJS.Signals): Promise<unknown[]> {
    const exited = once(started, 'exit');
    started.kill(signal);
    return exited;
  }

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
    { signal: 'SIGHUP', code: 129 },
  ] as const)('is undone last first on $signal, and the exit code is $code', async ({ signal, code }) => {
    expect(await end(await start(TWO_THINGS + WAIT), signal)).toEqual([code, null]);
    expect(readFileSync(log, 'utf8')).toBe('last\nfirst\n');
  });

  it('does not keep a signal from ending a long measurement when it is nothing', async () => {
    expect(await end(await start(SPIN), 'SIGINT')).toEqual([null, 'SIGINT']);
  });

  it('leaves signals alone again once all is undone', async () => {
    expect(await end(await start(`${TWO_THINGS} await undo.undoAll(); ${SPIN}`), 'SIGINT')).toEqual([null, 'SIGINT']);
    expect(readFileSync(log, 'utf8')).toBe('last\nfirst\n');
  });

  it('is undone to the end when one part of it cannot be', async () => {
    const said: string[] = [];
    const done: string[] = [];
    const undo = new UndoStack((text) => said.push(text));
    undo.add(() => done.push('first'));
    undo.add(() => {
      throw new Error('stuck');
    });
    undo.add(() => done.push('last'));
    await undo.undoAll();
    expect({ done, said }).toEqual({ done: ['last', 'first'], said: ['not undone: stuck'] });
  });
});

// Runs in each machine of a traffic test, as root: processes, files and questions to the agent, as its input asks for them, for
// as long as it has one. What they are for is decided at the other end; this one starts slowly and then has little to do.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { StepAnswer, StepRequest } from './step-protocol.ts';

const children = new Map<number, ChildProcess>();

function say(answer: StepAnswer): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const STEPS: { readonly [K in StepRequest['step']]: (request: Extract<StepRequest, { step: K }>) => void } = {
  start: ({ id, argv }) => start(id, argv),
  input: ({ id, text }) => void children.get(id)?.stdin?.write(text),
  'end-input': ({ id }) => void children.get(id)?.stdin?.end(),
  kill: ({ id, signal }) => void children.get(id)?.kill(signal),
  write: ({ id, path, text }) => {
    mkdirSync(dirname(path), { recursive: true });
    // One rename: whoever watches the folder sees all of it or nothing.
    const temporary = `${dirname(path)}/.${id}.new`;
    writeFileSync(temporary, text);
    renameSync(temporary, path);
    say({ id, say: 'answer', text: '' });
  },
  ask: ({ id, socket, path }) => ask(id, socket, path),
};

function start(id: number, argv: readonly string[]): void {
  const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'pipe' });
  children.set(id, child);
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => say({ id, say: name, text }));
  }
  // A program may end before it has read everything: its exit tells whether that matters.
  child.stdin.on('error', () => {});
  child.on('error', (error) => {
    children.delete(id);
    say({ id, say: 'failed', why: error.message });
  });
  child.on('close', (code, signal) => {
    if (children.delete(id)) say({ id, say: 'exit', code, signal });
  });
}

function ask(id: number, socketPath: string, path: string): void {
  const fail = (error: Error) => say({ id, say: 'failed', why: error.message });
  const asked = request({ socketPath, path }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('end', () => say({ id, say: 'answer', text })).on('error', fail);
  });
  asked.on('error', fail).end();
}

function take(line: string): void {
  const request = JSON.parse(line) as StepRequest;
  try {
    (STEPS[request.step] as (request: StepRequest) => void)(request);
  } catch (error) {
    say({ id: request.id, say: 'failed', why: (error as Error).message });
  }
}

const input = createInterface({ input: process.stdin });
input.on('line', take);
input.on('close', () => {
  for (const child of children.values()) child.kill('SIGKILL');
  process.exit(0);
});
say({ say: 'ready' });

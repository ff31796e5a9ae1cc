// A dataplane that cannot be opened leaves no file descriptor open, at whichever call it fails.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BpffsMount } from '../abi/native/fixture.ts';
import { openSmall } from './support/small-dataplane.ts';

/** More than a dataplane needs. */
const MOST = 160;

let bpffs: BpffsMount;
let placeholders: number[];
let limitBefore: string;

beforeEach(() => {
  bpffs = new BpffsMount();
  placeholders = [];
  limitBefore = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '';
});

afterEach(() => {
  for (const fd of placeholders) closeSync(fd);
  limitDescriptors(limitBefore);
  bpffs.close();
});

function limitDescriptors(most: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${most}:`]);
}

const countDescriptors = (): number => readdirSync('/proc/self/fd').length;

it('opens all that it needs or leaves nothing open', { timeout: 120_000 }, async () => {
  const root = bpffs.file('tortie');
  // What libbpf finds out about the kernel, it finds out once.
  (await openSmall(bpffs.path, root)).close();
  while (placeholders.length < MOST) placeholders.push(openSync('/dev/null', 'r'));
  limitDescriptors(String(Math.max(...placeholders) + 1));
  const outcomes: string[] = [];
  // The last ones stay free for whoever counts.
  for (let given = 2; given < MOST && outcomes.at(-1) !== 'open'; given += 1) {
    closeSync(placeholders.pop() as number);
    if (given === 2) closeSync(placeholders.pop() as number);
    rmSync(root, { recursive: true, force: true });
    const before = countDescriptors();
    try {
      const dataplane = await openSmall(bpffs.path, root);
      dataplane.close();
      outcomes.push('open');
    } catch (error) {
      outcomes.push(String((error as { cause?: { code?: string } }).cause?.code));
    }
    expect(countDescriptors(), `with ${given} descriptors free: ${outcomes.at(-1)}`).toBe(before);
  }
  expect(outcomes.at(-1)).toBe('open');
  expect(new Set(outcomes)).toEqual(new Set(['EMFILE', 'open']));
  expect(outcomes.length).toBeGreaterThan(10);
});

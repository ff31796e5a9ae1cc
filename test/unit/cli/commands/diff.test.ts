import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from '../../../../src/cli/program.ts';

const write = { out: process.stdout.write, err: process.stderr.write };
let printed = { out: '', err: '' };

beforeEach(() => {
  printed = { out: '', err: '' };
  process.stdout.write = (text) => {
    printed.out += String(text);
    return true;
  };
  process.stderr.write = (text) => {
    printed.err += String(text);
    return true;
  };
});

afterEach(restore);

function restore(): void {
  process.stdout.write = write.out;
  process.stderr.write = write.err;
  process.exitCode = undefined;
}

/** Exit code and what is printed, without the newline at its end. */
async function tortie(...parameters: string[]): Promise<{ code: number; out: string; err: string }> {
  const code = await run(['node', 'tortie', ...parameters]);
  return { code, out: printed.out.replace(/\n$/, ''), err: printed.err };
}

/** Commands of docs/diff.md with what is said to follow. */
function documented(): [command: string, output: string][] {
  const text = readFileSync('docs/diff.md', 'utf8');
  return [...text.matchAll(/^```console\n\$ tortie (.*)\n([\s\S]*?)\n?```$/gm)].map(([, command = '', output = '']) => [
    command,
    output,
  ]);
}

describe('tortie diff', () => {
  it.each(documented())('%s answers as documented', async (command, output) => {
    expect((await tortie(...command.split(' '))).out).toBe(output);
  });

  it.each([
    [0, 'no difference', ['examples/diff/before', 'examples/diff/before']],
    [1, 'differences', ['examples/diff/before', 'examples/diff/after']],
    [2, 'no such directory', ['examples/diff/before', 'examples/diff/nosuch']],
    [2, 'one source', ['examples/diff/before']],
    [2, 'two sources and --promote', ['examples/diff/before', 'examples/diff/after', '--promote']],
    [2, 'no source at all', []],
    [4, 'no agent', ['live', 'examples/diff/after', '--socket', '/nonexistent/agent.sock']],
  ])('ends with %i for %s', async (expected, _, parameters) => {
    expect((await tortie('diff', ...parameters)).code).toBe(expected);
  });

  it('lists what was refused on either side, and ends with 3', async () => {
    const { code, err } = await tortie('diff', 'test/support/diff/refused', 'examples/diff/after');
    expect([code, err.match(/^[A-Z_]+/)?.[0]]).toEqual([3, 'UNKNOWN_FIELD']);
  });

  it('prints the same difference as data', async () => {
    const { out } = await tortie('diff', 'examples/diff/before', 'examples/diff/after', '--output', 'json');
    const { sentences, summary, changedObjects } = JSON.parse(out) as Record<string, unknown>;
    expect(summary).toEqual({
      sentences: (sentences as unknown[]).length,
      pairsLosing: 15,
      pairsGaining: 8,
      endpoints: 10,
    });
    expect(changedObjects).toBe(4);
  });
});

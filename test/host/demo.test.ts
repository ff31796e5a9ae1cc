// What `npm run demo` shows, once everything is built: its own verdict, and in its words the results that it is there for.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { PATIENCE } from '../../tools/lab/patience.ts';

const PROGRAM = fileURLToPath(new URL('../../dist-tools/tools/demo/main.js', import.meta.url));
const LIMIT_MS = 110_000;

interface Played {
  readonly status: number | undefined;
  readonly text: string;
  readonly errors: string;
}

function play(): Promise<Played> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [PROGRAM],
      { timeout: LIMIT_MS * PATIENCE, killSignal: 'SIGINT', env: { ...process.env, NO_COLOR: '1' } },
      (_error, text, errors) => resolve({ status: child.exitCode ?? undefined, text, errors }),
    );
  });
}

/** The lines under the section whose title begins so. */
function section(text: string, title: string): string[] {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.startsWith(title));
  if (first < 0) return [];
  const rest = lines.slice(first + 1);
  const end = rest.indexOf('');
  return rest.slice(0, end < 0 ? undefined : end);
}

describe('the demo', { timeout: (LIMIT_MS + 10_000) * PATIENCE }, () => {
  let played: Played;

  beforeAll(
    async () => {
      played = await play();
    },
    (LIMIT_MS + 10_000) * PATIENCE,
  );

  it('finds everything as it promises', () => {
    expect({ status: played.status, errors: played.errors }, played.text).toEqual({ status: 0, errors: '' });
    expect(played.text).toContain('Cleaned up after');
    expect(section(played.text, 'Who reaches whom').join('\n')).toMatch(/as the README says/);
  });

  it('shows live flows, allowed and denied, each with the tier and the policy that decided', () => {
    const lines = section(played.text, 'What the agent saw of all that');
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}✓ .+ -> .+ (TCP|UDP) \d+ +[1-9]\d* B +\S+ \S+/));
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}✗ .*shop\/db-1 TCP \d+ +[1-9]\d* B +\S+ \S+/));
  });

  it('explains a drop to the file and the line', () => {
    const [verdict, ...lines] = section(played.text, 'Why does shop/web-1 not reach shop/db-1?');
    expect(verdict).toMatch(/^ {2}DENY/);
    expect(lines.join('\n')).toMatch(/\.yaml:\d+/);
  });

  it('recommends policies that deny none of the flows that were seen', () => {
    const lines = section(played.text, 'Policy made of this traffic').join('\n');
    expect(lines).toMatch(/^ {2}[1-9]\d* staged policies/);
    expect(lines).toMatch(/proof: [1-9]\d* different flows judged again, 0 denied;/);
  });
});

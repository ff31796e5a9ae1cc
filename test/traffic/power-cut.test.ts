// The power goes while an agent's resources are changed, on a machine with a disk of its own: whatever was acknowledged is there after
// the boot, and nothing of half a change. A file that nobody synced is not, which shows that the cut is one.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findProject } from '../../tools/lab/project.ts';
import { VmFailure } from '../../tools/vm/failure.ts';
import { runGuest } from '../../tools/vm/guest.ts';
import { findTools } from '../../tools/vm/host-needs.ts';
import { ensureKernel } from '../../tools/vm/kernel-cache.ts';
import { type CompiledTests, compileTests } from '../../tools/vm/tier/bundle.ts';
import { PROGRAM } from '../../tools/vm/tier/kernel-run.ts';
import { newSeed } from '../support/worlds/questions.ts';
import { Random } from '../support/worlds/random.ts';

/** What Debian's stable release has. */
const KERNEL = '6.12';
const SCRIPT = 'test/traffic/support/power-cut-agent.ts';
const CUTS = 2;
/** A change takes a guest without KVM some hundredths of a second. */
const LONGEST_MS = 1500;
const LIMIT_MS = 180_000;
const FOLDER = '/var/lib/tortie-power-cut';
/** A guest of slow processors has no time for large tables. */
const SMALL = {
  TORTIE_HEAP_WORDS: '2097152',
  TORTIE_MAX_FLOWS: '16384',
  TORTIE_V6_NODES: '1024',
  TORTIE_FLOW_LOGS: 'off',
  TORTIE_FLOW_STORE: 'off',
};

let folder: string;
let compiled: CompiledTests;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-power-'));
  const { status, stderr } = spawnSync('mkfs.ext4', ['-q', '-F', '-m', '0', join(folder, 'disk'), '512M'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`no disk: ${stderr}`);
  compiled = await compileTests([SCRIPT, PROGRAM]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Boots from the disk as it was left. Returns what was told until the power went, or the work was done. */
async function boot(...words: readonly string[]): Promise<string[]> {
  let output = '';
  let errors = '';
  const path = (source: string) => String(compiled.get(source));
  const run = runGuest({
    tools: findTools(),
    kernel: await ensureKernel(KERNEL, (what) => console.log(what)),
    ...{ memoryMb: 2048, cpus: 1, limitMs: LIMIT_MS, disk: join(folder, 'disk') },
    task: {
      words: [process.execPath, path(SCRIPT), FOLDER, ...words],
      cwd: findProject(),
      env: { PATH: String(process.env.PATH), HOME: '/root', TORTIE_PROGRAM: path(PROGRAM), ...SMALL },
    },
    onOutput: (chunk, stream) => {
      if (stream === 'out') output += chunk;
      else errors += chunk;
    },
  });
  const code = await run.catch((error: unknown) => {
    if (!(error instanceof VmFailure) || !output.includes('cut\n')) throw new Error(`${error}\n${errors}`);
    return 0;
  });
  expect(code, errors).toBe(0);
  return output.trimEnd().split('\n');
}

const told = (lines: readonly string[], word: string): string[] =>
  lines.flatMap((line) => (line.startsWith(`${word} `) ? line.split(' ').slice(1) : [])).filter((name) => name !== '');

it('has every acknowledged change after the power went, time and again', async () => {
  const random = new Random(newSeed('power'));
  let acknowledged: string[] = [];
  let next = 1;
  for (let cut = 0; cut <= CUTS; cut += 1) {
    const isLast = cut === CUTS;
    const lines = await boot(String(next), ...(isLast ? [] : [String(random.below(LONGEST_MS))]));
    if (cut > 0) expect(told(lines, 'unsynced')).toEqual(['gone']);
    const found = told(lines, 'found').filter((name) => name.startsWith('tier-'));
    expect(acknowledged.filter((name) => !found.includes(name))).toEqual([]);
    // At most the one that was on its way.
    expect(found.length - acknowledged.length).toBeLessThanOrEqual(1);
    const now = told(lines, 'acknowledged');
    if (!isLast) expect(now.length).toBeGreaterThan(0);
    console.log(`${found.length} found, ${now.length} more acknowledged`);
    acknowledged = [...found, ...now];
    // One more than the number of what may have been on its way.
    next = Math.max(0, ...acknowledged.map((name) => Number(name.split('-')[1]))) + 2;
  }
}, 700_000);

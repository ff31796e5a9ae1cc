// What comes in by an interface while somebody attacks: packets of blocked sources, and floods of SYNs, by who decides. What the guard's
// program itself costs is xdp.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchResult } from './results.ts';
import type { BenchRun } from './run.ts';
import { benchFlood } from './xdp-flood.ts';
import { benchRivals } from './xdp-rivals.ts';

export async function benchXdpPath(run: BenchRun): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'tortie-bench-'));
  run.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  return [...(await benchRivals(run, folder)), ...(await benchFlood(run, folder))];
}

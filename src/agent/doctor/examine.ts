// Runs checks over a machine. What they look at is in the files of the checks.
import type { Check, Finding, Judgement, Machine } from './finding.ts';

/** One finding for each check, in their order. A check that breaks is no reason not to see the others. */
export async function examine(checks: readonly Check[], machine: Machine): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { id, checked, run } of checks) findings.push({ id, checked, ...(await attempt(run, machine)) });
  return findings;
}

async function attempt(run: Check['run'], machine: Machine): Promise<Judgement> {
  try {
    return await run(machine);
  } catch (error) {
    return { level: 'skip', found: `could not be looked at: ${(error as Error).message}` };
  }
}

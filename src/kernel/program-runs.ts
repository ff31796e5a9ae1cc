// What the runs of programs have cost, by the kernel's own account, which it keeps where kernel.bpf_stats_enabled is 1.
import type { BpfObject } from './native.ts';

export interface ProgramRuns {
  /** As the kernel keeps it: 15 characters. */
  readonly name: string;
  readonly runs: bigint;
  readonly runTimeNs: bigint;
}

/** Of all programs of a loaded object; since it was loaded. */
export function programRuns(object: BpfObject): ProgramRuns[] {
  return object.programs.map((name) => {
    const program = object.program(name);
    const { name: kernelName, runCount: runs, runTimeNs } = program.info;
    program.close();
    return { name: kernelName, runs, runTimeNs };
  });
}

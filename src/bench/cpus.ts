// Which CPU carries the measured packets, and which does everything else. Fixed, so that figures of one machine compare.
import { cpus } from 'node:os';

export interface CpuPlan {
  /** Sends, forwards and receives: the whole path of a packet is on this one. */
  readonly traffic: number;
  /** For the harness and the agents, as taskset takes it. The same CPU where there is only one. */
  readonly others: string;
}

export function planCpus(count = cpus().length): CpuPlan {
  const traffic = count - 1;
  const others = Array.from({ length: traffic }, (_, cpu) => cpu);
  return { traffic, others: others.length === 0 ? '0' : others.join(',') };
}

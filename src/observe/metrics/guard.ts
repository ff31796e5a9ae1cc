// What is done before the stack: blocked sources, SYN protection.
import type { Families, Sample } from './families.ts';
import type { MetricsSource } from './source.ts';

export function addGuardMetrics(families: Families, source: Pick<MetricsSource, 'guard'>): void {
  families.counters({
    tortie_guard_packets_total: {
      help: 'Frames that XDP dropped or answered before the stack',
      labels: ['reason'],
      read: totals(source, 'packets'),
    },
    tortie_guard_bytes_total: {
      help: 'Bytes of frames that XDP dropped or answered before the stack',
      labels: ['reason'],
      read: totals(source, 'bytes'),
    },
  });
  families.gauges({
    tortie_blocked_prefixes: { help: 'Prefixes on the block list', read: () => source.guard().prefixes },
    tortie_guarded_interfaces: {
      help: 'Interfaces to guard by state',
      labels: ['state'],
      read: () => source.guard().interfaces,
    },
  });
}

/** While the guard is closed its counts read 0, and go on from where they were when it is opened again. */
function totals(source: Pick<MetricsSource, 'guard'>, field: 'packets' | 'bytes'): () => Iterable<Sample> {
  const most = new Map<string, number>();
  return () => {
    for (const [reason, counts] of source.guard().counters) {
      most.set(reason, Math.max(counts[field], most.get(reason) ?? 0));
    }
    return most;
  };
}

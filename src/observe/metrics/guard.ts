// What is done before the stack: blocked sources, SYN protection.
import type { Families, Sample } from './families.ts';
import type { MetricsSource } from './source.ts';

export function addGuardMetrics(families: Families, source: Pick<MetricsSource, 'guard'>): void {
  counter('tortie_guard_packets_total', 'Frames that XDP dropped or answered before the stack', 'packets');
  counter('tortie_guard_bytes_total', 'Bytes of frames that XDP dropped or answered before the stack', 'bytes');
  families.gauge('tortie_blocked_prefixes', 'Prefixes on the block list', () => source.guard().prefixes);
  families.gauges('tortie_guarded_interfaces', 'Interfaces to guard by state', ['state'], () =>
    [...source.guard().interfaces].map(([state, count]) => [{ state }, count] as const),
  );

  /** While the guard is closed its counts read 0, and go on from where they were when it is opened again. */
  function counter(name: string, help: string, field: 'packets' | 'bytes'): void {
    const most = new Map<string, number>();
    families.counters(name, help, ['reason'], () => {
      for (const [reason, counts] of source.guard().counters) {
        most.set(reason, Math.max(counts[field], most.get(reason) ?? 0));
      }
      return [...most].map(([reason, total]): Sample<'reason'> => [{ reason }, total]);
    });
  }
}

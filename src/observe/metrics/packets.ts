// What became of packets, by the kernel's own counters.
import type { Families, Sample } from './families.ts';
import type { MetricsSource } from './source.ts';

/** denied = policy said so, or the sender lied about who it is; dropped = for any other reason. */
export type PacketVerdict = 'allowed' | 'denied' | 'dropped';

const DENIALS: ReadonlySet<string> = new Set([
  'drop_egress_policy',
  'drop_ingress_policy',
  'drop_revoked',
  'drop_host',
  'drop_spoofed_address',
  'drop_spoofed_mac',
  'drop_untracked',
  'drop_pre_dnat',
  'drop_host_ingress',
  'drop_host_egress',
]);

/** undefined = a counter of something else than packets. */
export function verdictOf(reason: string): PacketVerdict | undefined {
  if (reason.startsWith('allowed_')) return 'allowed';
  if (!reason.startsWith('drop_')) return undefined;
  return DENIALS.has(reason) ? 'denied' : 'dropped';
}

export function addPacketMetrics(families: Families, source: Pick<MetricsSource, 'counters'>): void {
  const labels = ['verdict', 'reason'] as const;
  const samples = (field: 'packets' | 'bytes'): Sample<(typeof labels)[number]>[] =>
    [...source.counters()].flatMap(([reason, counts]) => {
      const verdict = verdictOf(reason);
      return verdict === undefined ? [] : [[{ verdict, reason }, counts[field]] as const];
    });
  families.counters('tortie_packets_total', 'Packets by what became of them and why', labels, () => samples('packets'));
  families.counters('tortie_bytes_total', 'Bytes of IP packets by what became of them and why', labels, () =>
    samples('bytes'),
  );
  const counter = (name: string, reason: string, help: string): void =>
    families.counter(name, help, () => source.counters().get(reason)?.packets ?? 0);
  counter('tortie_events_lost_total', 'event_lost', 'Events that the ring buffer had no room for');
  counter('tortie_events_suppressed_total', 'event_suppressed', 'Events that the rate limit left out');
  counter('tortie_flows_evicted_total', 'flow_evicted', 'Live flows that made room for others in a full table');
}

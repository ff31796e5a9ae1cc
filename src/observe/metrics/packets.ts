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
  const labels = ['verdict', 'reason'];
  const samples = (field: 'packets' | 'bytes') => (): Sample[] =>
    [...source.counters()].flatMap(([reason, counts]) => {
      const verdict = verdictOf(reason);
      return verdict === undefined ? [] : [[verdict, reason, counts[field]] as const];
    });
  const packetsOf = (reason: string) => (): number => source.counters().get(reason)?.packets ?? 0;
  families.counters({
    tortie_packets_total: { help: 'Packets by what became of them and why', labels, read: samples('packets') },
    tortie_bytes_total: { help: 'Bytes of IP packets by what became of them and why', labels, read: samples('bytes') },
    tortie_events_lost_total: { help: 'Events that the ring buffer had no room for', read: packetsOf('event_lost') },
    tortie_events_suppressed_total: {
      help: 'Events that the rate limit left out',
      read: packetsOf('event_suppressed'),
    },
    tortie_flows_evicted_total: {
      help: 'Live flows that made room for others in a full table',
      read: packetsOf('flow_evicted'),
    },
    tortie_resets_sent_total: {
      help: 'RSTs to ends of connections that a policy change stopped',
      read: packetsOf('reset_sent'),
    },
    tortie_resets_lost_total: {
      help: 'RSTs to such ends that could not be sent',
      read: packetsOf('reset_lost'),
    },
  });
}

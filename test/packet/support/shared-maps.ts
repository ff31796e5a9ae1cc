// The maps that all objects have in common. Knows names and places, no content.
import type { MapOptions } from '../../../native/index.d.ts';

const SHARED_MAPS = [
  'tt_heap',
  'tt_v6_nodes',
  'tt_state',
  'tt_flows',
  'tt_flow_locks',
  'tt_fragments',
  'tt_flow_cache',
  'tt_counters',
  'tt_events',
] as const;

/** Options of maps; those that are shared are pinned in the directory, if one is given: who comes second finds them. */
export function withPins(
  maps: Readonly<Record<string, MapOptions>>,
  pins: string | undefined,
): Record<string, MapOptions> {
  if (pins === undefined) return maps;
  const shared = SHARED_MAPS.map((name) => [name, { ...maps[name], pinPath: `${pins}/${name}` }] as const);
  return { ...maps, ...Object.fromEntries(shared) };
}

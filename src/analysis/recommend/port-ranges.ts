// Ports that were seen -> what a rule says: numbers, runs without a gap, and wider ranges only where ports are dense or the
// kernel chose them.

export interface PortRange {
  readonly first: number;
  readonly last: number;
  /** Why it covers ports that were not seen; undefined = it covers none. */
  readonly widened?: 'dense' | 'ephemeral';
}

export interface PortMerging {
  /** Ports of a range at least, before it may cover others; 0 = no range covers what was not seen. */
  readonly denseCount: number;
  /** Share of the range that was seen, at least. */
  readonly density: number;
  /** Different ephemeral ports at least, before all of them are meant; 0 = never. */
  readonly ephemeralCount: number;
}

export const DEFAULT_PORT_MERGING: PortMerging = Object.freeze({ denseCount: 8, density: 0.75, ephemeralCount: 8 });
export const EXACT_PORTS: PortMerging = Object.freeze({ denseCount: 0, density: 1, ephemeralCount: 0 });

/** From which servers and kernels choose ports for a while: Linux from the first, others within it. */
export const EPHEMERAL: PortRange = Object.freeze({ first: 32_768, last: 65_535, widened: 'ephemeral' });

/** Sorted, without overlap; every port given is in one. */
export function mergePorts(ports: Iterable<number>, merging: PortMerging = DEFAULT_PORT_MERGING): PortRange[] {
  const sorted = [...new Set(ports)].sort((a, b) => a - b);
  const high = sorted.filter((port) => port >= EPHEMERAL.first);
  const isEphemeral = merging.ephemeralCount > 0 && high.length >= merging.ephemeralCount;
  const rest = isEphemeral ? sorted.slice(0, sorted.length - high.length) : sorted;
  const ranges = dense(runs(rest), merging);
  return isEphemeral ? [...ranges, EPHEMERAL] : ranges;
}

/** As policies write it: `80`, or `8000:8010`. */
export function formatRange({ first, last }: PortRange): number | string {
  return first === last ? first : `${first}:${last}`;
}

function runs(sorted: readonly number[]): PortRange[] {
  const found: { first: number; last: number }[] = [];
  for (const port of sorted) {
    const last = found.at(-1);
    if (last !== undefined && port === last.last + 1) last.last = port;
    else found.push({ first: port, last: port });
  }
  return found;
}

/** The longest ranges that are dense, from the left. */
function dense(exact: readonly PortRange[], { denseCount, density }: PortMerging): PortRange[] {
  if (denseCount === 0) return [...exact];
  const found: PortRange[] = [];
  for (let at = 0; at < exact.length; ) {
    const start = exact[at] as PortRange;
    let best = at;
    let seen = 0;
    for (let end = at; end < exact.length; end++) {
      const { first, last } = exact[end] as PortRange;
      seen += last - first + 1;
      if (end > at && seen >= denseCount && seen / (last - start.first + 1) >= density) best = end;
    }
    const { last } = exact[best] as PortRange;
    found.push(best === at ? start : { first: start.first, last, widened: 'dense' });
    at = best + 1;
  }
  return found;
}

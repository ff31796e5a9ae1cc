// Who speaks to whom: the edges between two nodes as one, and the graph as DOT.
import { formatBytes } from './flows-text.ts';
import { dotText } from './hostile-text.ts';

export interface FlowGraph {
  readonly nodes: readonly { readonly name: string; readonly type: string }[];
  readonly edges: readonly FlowEdge[];
}

export interface FlowEdge {
  readonly source: string;
  readonly destination: string;
  readonly protocol: string;
  readonly port: number;
  readonly bytes: number;
  readonly packets: number;
  readonly flows: number;
  /** Packets. */
  readonly denied: number;
}

/** All that goes from one node to another. */
export interface Bundle {
  readonly source: string;
  readonly destination: string;
  readonly bytes: number;
  readonly packets: number;
  readonly denied: number;
  /** `TCP 443`, the busiest first. */
  readonly ports: readonly string[];
}

/** How an edge is drawn: everything, something or nothing of it was denied. */
export type EdgeTone = 'allowed' | 'partly' | 'denied';

const MAX_PORTS = 3;

export function bundlesOf({ edges }: FlowGraph): Bundle[] {
  const byPair = new Map<string, FlowEdge[]>();
  for (const edge of edges) {
    const key = JSON.stringify([edge.source, edge.destination]);
    byPair.set(key, [...(byPair.get(key) ?? []), edge]);
  }
  return [...byPair.values()].map((list) => ({
    source: (list[0] as FlowEdge).source,
    destination: (list[0] as FlowEdge).destination,
    bytes: sum(list, 'bytes'),
    packets: sum(list, 'packets'),
    denied: sum(list, 'denied'),
    ports: list
      .toSorted((a, b) => b.bytes - a.bytes)
      .map(({ protocol, port }) => (port === 0 ? protocol : `${protocol} ${port}`)),
  }));
}

function sum(edges: readonly FlowEdge[], field: 'bytes' | 'packets' | 'denied'): number {
  return edges.reduce((total, edge) => total + edge[field], 0);
}

export function toneOf({ packets, denied }: Bundle): EdgeTone {
  if (denied === 0) return 'allowed';
  return denied >= packets ? 'denied' : 'partly';
}

/** `TCP 80, TCP 443 (1.2 MB, 3 denied)`. */
export function labelOf({ ports, bytes, denied }: Bundle): string {
  const more = ports.length > MAX_PORTS ? ` and ${ports.length - MAX_PORTS} more` : '';
  const lost = denied === 0 ? '' : `, ${denied} denied`;
  return `${ports.slice(0, MAX_PORTS).join(', ')}${more} (${formatBytes(bytes)}${lost})`;
}

const TONES: Readonly<Record<EdgeTone, string>> = {
  allowed: 'color="#2f6f4f"',
  partly: 'color="#b8860b"',
  denied: 'color="#b03030", style=dashed',
};

/** For graphviz and whoever reads its language. */
export function formatDot(graph: FlowGraph): string {
  const nodes = graph.nodes.map(
    ({ name, type }) => `  ${dotText(name)} [shape=${type === 'wep' ? 'box' : 'ellipse'}];`,
  );
  const edges = bundlesOf(graph).map(
    (bundle) =>
      `  ${dotText(bundle.source)} -> ${dotText(bundle.destination)} [label=${dotText(labelOf(bundle))}, ${TONES[toneOf(bundle)]}];`,
  );
  return ['digraph flows {', '  rankdir=LR;', '  node [fontname="sans-serif"];', ...nodes, ...edges, '}'].join('\n');
}

// The graph of flows as a drawing: nodes in columns from those that ask to those that are asked, curves between them.
import { type Bundle, bundlesOf, type EdgeTone, type FlowGraph, labelOf, toneOf } from './flows-graph.ts';
import { xmlText } from './hostile-text.ts';

const ROW = 64;
const BOX = { height: 30, padding: 12, character: 7.2 } as const;
/** Between two columns there must be room for what edges say. */
const GAP = 300;
const MARGIN = 24;
const MAX_NAME = 48;
const COLOURS: Readonly<Record<EdgeTone, string>> = { allowed: '#2f6f4f', partly: '#b8860b', denied: '#b03030' };

interface Placed {
  readonly name: string;
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export function drawGraph(graph: FlowGraph): string {
  const bundles = bundlesOf(graph);
  const placed = place(graph, columnsOf(graph, bundles), bundles);
  const byName = new Map(placed.map((node) => [node.name, node]));
  const width = Math.max(200, ...placed.map(({ x, width: own }) => x + own + MARGIN));
  const height = Math.max(80, ...placed.map(({ y }) => y + BOX.height + MARGIN)) + 16;
  const most = Math.max(1, ...bundles.map(({ bytes }) => bytes));
  const edges = bundles.map((bundle) => drawEdge(bundle, byName, most));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Flows</title>',
    `<defs>${Object.entries(COLOURS)
      .map(([tone, colour]) => arrow(tone, colour))
      .join('')}</defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...edges.map(({ line }) => line),
    ...placed.map(drawNode),
    ...edges.map(({ text }) => text),
    ...(placed.length === 0 ? [`<text x="${MARGIN}" y="40" fill="#555555">no flows</text>`] : []),
    '</svg>',
  ].join('\n');
}

/** One behind the furthest of those that speak to it; a circle is cut where it is met first. */
function columnsOf({ nodes }: FlowGraph, bundles: readonly Bundle[]): Map<string, number> {
  const next = new Map<string, string[]>();
  for (const { source, destination } of bundles) next.set(source, [...(next.get(source) ?? []), destination]);
  const asked = new Set(
    bundles.filter(({ source, destination }) => source !== destination).map(({ destination }) => destination),
  );
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const back = new Set<string>();
  // Without recursion: a chain may be as long as there are nodes.
  const roots = [...nodes.filter(({ name }) => !asked.has(name)), ...nodes].map(({ name }) => name);
  for (const root of roots) {
    const stack: { readonly name: string; at: number }[] = state.has(root) ? [] : [{ name: root, at: 0 }];
    if (stack.length > 0) state.set(root, 'open');
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const child = next.get(top.name)?.[top.at];
      top.at += 1;
      if (child === undefined) {
        state.set(top.name, 'done');
        order.push(top.name);
        stack.pop();
      } else if (state.get(child) === 'open') back.add(JSON.stringify([top.name, child]));
      else if (!state.has(child)) {
        state.set(child, 'open');
        stack.push({ name: child, at: 0 });
      }
    }
  }
  const columns = new Map<string, number>(order.map((name) => [name, 0]));
  for (const name of order.toReversed()) {
    for (const child of next.get(name) ?? []) {
      if (back.has(JSON.stringify([name, child]))) continue;
      columns.set(child, Math.max(columns.get(child) ?? 0, (columns.get(name) ?? 0) + 1));
    }
  }
  return columns;
}

/** Within a column by the middle of those that speak to a node, so that fewer curves cross. */
function place({ nodes }: FlowGraph, columns: ReadonlyMap<string, number>, bundles: readonly Bundle[]): Placed[] {
  const rows = new Map<string, number>();
  const placed: Placed[] = [];
  let x = MARGIN;
  for (let column = 0; column <= Math.max(0, ...columns.values()); column += 1) {
    const inColumn = nodes.filter(({ name }) => (columns.get(name) ?? 0) === column);
    const middle = (name: string): number => {
      const above = bundles.flatMap(({ source, destination }) =>
        destination === name ? (rows.get(source) ?? []) : [],
      );
      return above.length === 0 ? 0 : above.reduce((total, row) => total + row, 0) / above.length;
    };
    const sorted = inColumn.toSorted((a, b) => middle(a.name) - middle(b.name) || (a.name < b.name ? -1 : 1));
    const width = Math.max(0, ...sorted.map(({ name }) => shown(name).length)) * BOX.character + 2 * BOX.padding;
    for (const [row, { name, type }] of sorted.entries()) {
      rows.set(name, row);
      placed.push({ name, type, x, y: MARGIN + row * ROW, width });
    }
    x += width + GAP;
  }
  return placed;
}

function drawNode({ name, type, x, y, width }: Placed): string {
  const [fill, radius] = type === 'wep' ? ['#eef3fb', 4] : ['#f6f1e6', 15];
  return `<g><title>${xmlText(name)}</title><rect x="${x}" y="${y}" width="${width}" height="${BOX.height}" rx="${radius}" fill="${fill}" stroke="#444444"/><text x="${x + BOX.padding}" y="${y + 19}" fill="#111111">${xmlText(shown(name))}</text></g>`;
}

function drawEdge(
  bundle: Bundle,
  nodes: ReadonlyMap<string, Placed>,
  most: number,
): { readonly line: string; readonly text: string } {
  const [from, to] = [nodes.get(bundle.source), nodes.get(bundle.destination)];
  if (from === undefined || to === undefined) return { line: '', text: '' };
  const tone = toneOf(bundle);
  const stroke = (1 + 3 * (Math.log1p(bundle.bytes) / Math.log1p(most))).toFixed(1);
  const [startY, endY] = [from.y + BOX.height / 2, to.y + BOX.height / 2];
  const isForward = to.x > from.x + from.width;
  const [startX, endX] = isForward ? [from.x + from.width, to.x] : [from.x + from.width / 2, to.x + to.width / 2];
  const path = isForward
    ? `M${startX} ${startY} C${startX + GAP / 2} ${startY} ${endX - GAP / 2} ${endY} ${endX} ${endY}`
    : `M${startX} ${from.y + BOX.height} C${startX + 40} ${from.y + BOX.height + 40} ${endX - 40} ${to.y + BOX.height + 40} ${endX} ${to.y + BOX.height}`;
  const dash = tone === 'denied' ? ' stroke-dasharray="5 4"' : '';
  const [textX, textY] = isForward
    ? [(startX + endX) / 2, (startY + endY) / 2 - 4]
    : [(startX + endX) / 2, Math.max(from.y, to.y) + BOX.height + 24];
  return {
    line: `<path d="${path}" fill="none" stroke="${COLOURS[tone]}" stroke-width="${stroke}"${dash} marker-end="url(#${tone})"/>`,
    text: `<text x="${textX}" y="${textY}" text-anchor="middle" font-size="10" fill="${COLOURS[tone]}" stroke="#ffffff" stroke-width="3" paint-order="stroke">${xmlText(labelOf(bundle))}</text>`,
  };
}

function arrow(tone: string, colour: string): string {
  return `<marker id="${tone}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z" fill="${colour}"/></marker>`;
}

function shown(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME - 1)}…` : name;
}

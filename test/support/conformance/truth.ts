// Truth tables in rows: `deny * -> x/a` and, over it, `allow y/*, x/b -> x/a : TCP80 UDP v6`. Pods are `<namespace>/<name>`, either part
// may be `*`; behind the colon a cell must have one of the protocols or ports named, and be of the family named, if any is.
import type { Protocol, ServedPort } from './case.ts';
import type { PodAddresses } from './state.ts';

export interface Cell {
  readonly source: PodAddresses;
  readonly destination: PodAddresses;
  readonly protocol: Protocol;
  readonly port: number;
  readonly family: 4 | 6;
  readonly isAllowed: boolean;
}

interface Row {
  readonly isAllow: boolean;
  readonly sources: ReadonlySet<string>;
  readonly destinations: ReadonlySet<string>;
  /** `TCP` or `TCP80`; empty = all. */
  readonly ports: readonly string[];
  readonly family: 4 | 6 | undefined;
}

const ROW = /^(allow|deny) (.+?) -> (.+?)(?: : (.+))?$/;
const PORT = /^(TCP|UDP|SCTP)\d*$/;

/**
 * Every ordered pair of different pods, every port, both families. Throws an ordinary Error for a row that is misspelt or says
 * nothing: each must change at least one cell.
 */
export function truthCells(
  rows: readonly string[],
  pods: readonly PodAddresses[],
  ports: readonly ServedPort[],
): Cell[] {
  let cells = openCells(pods, ports);
  for (const text of rows) {
    const row = parseRow(text, pods, ports);
    let changed = 0;
    cells = cells.map((cell) => {
      if (cell.isAllowed === row.isAllow || !speaksOf(row, cell)) return cell;
      changed += 1;
      return { ...cell, isAllowed: row.isAllow };
    });
    if (changed === 0) throw new Error(`truth row changes nothing: ${text}`);
  }
  return cells;
}

/** For a failure's report. */
export function describeCell({ source, destination, protocol, port, family }: Cell): string {
  return `${source.name} -> ${destination.name} ${protocol}${port} v${family}`;
}

function openCells(pods: readonly PodAddresses[], ports: readonly ServedPort[]): Cell[] {
  const pairs = pods.flatMap((source) =>
    pods.filter((one) => one !== source).map((destination) => ({ source, destination })),
  );
  return pairs.flatMap((pair) =>
    ports.flatMap(({ protocol, port }) =>
      ([4, 6] as const).map((family) => ({ ...pair, protocol, port, family, isAllowed: true })),
    ),
  );
}

function speaksOf(row: Row, { source, destination, protocol, port, family }: Cell): boolean {
  if (!row.sources.has(source.name) || !row.destinations.has(destination.name)) return false;
  if (row.family !== undefined && row.family !== family) return false;
  return row.ports.length === 0 || row.ports.includes(protocol) || row.ports.includes(`${protocol}${port}`);
}

function parseRow(text: string, pods: readonly PodAddresses[], served: readonly ServedPort[]): Row {
  const [, action, sources, destinations, detail = ''] = ROW.exec(text) ?? [];
  if (sources === undefined || destinations === undefined) throw new Error(`not a truth row: ${text}`);
  const words = detail.split(' ').filter((word) => word !== '');
  const families = words.filter((word) => word === 'v4' || word === 'v6');
  const ports = words.filter((word) => word !== 'v4' && word !== 'v6');
  const isServed = (word: string) =>
    served.some(({ protocol, port }) => word === protocol || word === `${protocol}${port}`);
  if (families.length > 1 || !ports.every((word) => PORT.test(word) && isServed(word))) {
    throw new Error(`not a truth row: ${text}`);
  }
  return {
    isAllow: action === 'allow',
    sources: namesOf(sources, pods, text),
    destinations: namesOf(destinations, pods, text),
    ports,
    family: families[0] === undefined ? undefined : families[0] === 'v4' ? 4 : 6,
  };
}

function namesOf(patterns: string, pods: readonly PodAddresses[], row: string): ReadonlySet<string> {
  const names = patterns.split(', ').map((pattern) => {
    const found = pods.filter(({ name }) => matches(pattern, name));
    if (found.length === 0) throw new Error(`no pod ${pattern} in truth row: ${row}`);
    return found;
  });
  return new Set(names.flat().map(({ name }) => name));
}

function matches(pattern: string, name: string): boolean {
  if (pattern === '*') return true;
  const [namespace, pod] = name.split('/');
  const [wantedNamespace, wantedPod] = pattern.split('/');
  return (wantedNamespace === '*' || wantedNamespace === namespace) && (wantedPod === '*' || wantedPod === pod);
}

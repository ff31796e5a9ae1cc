// Who may reach whom on one port: every source against every destination, with equal rows and equal columns as one.
import type { Family } from '../model/address.ts';
import { hasPorts, isIcmp } from '../model/flow.ts';
import { echoRequestType } from './flow-logs/recorded-flow.ts';
import type { MatrixEnd } from './matrix-ends.ts';
import { decisionsOf, type Judge, type View, viewOf } from './outcome.ts';
import { protocolIn } from './policy-tests-cells.ts';
import type { TestService } from './policy-tests-parse.ts';
import { type Decider, deciderOf } from './simulate-judge.ts';

/** `none` = no policy is asked: neither is a workload, or they have no address family in common. */
export type MatrixVerdict = 'allow' | 'deny' | 'mixed' | 'none';

export interface MatrixCell {
  readonly verdict: MatrixVerdict;
  /** Verdict if every staged policy were enforced, where it differs. */
  readonly pending?: MatrixVerdict;
  readonly decidedBy: readonly Decider[];
  /** What would decide, where the pending verdict differs. */
  readonly pendingDecidedBy?: readonly Decider[];
  /** By family, where they differ. */
  readonly families?: { readonly ipv4: MatrixVerdict; readonly ipv6: MatrixVerdict };
}

export interface MatrixGroup {
  readonly kind: MatrixEnd['kind'];
  /** `shop/web (12 pods), shop/cache`. */
  readonly label: string;
  /** Names of its ends. */
  readonly members: readonly string[];
}

export interface Matrix {
  readonly rows: readonly MatrixGroup[];
  readonly columns: readonly MatrixGroup[];
  /** By row, then by column. */
  readonly cells: readonly (readonly MatrixCell[])[];
}

export type MatrixService = Pick<TestService, 'protocol'> & {
  /** 0 for protocols without ports. */
  readonly port: number;
};

const FAMILIES: readonly Family[] = [4, 6];
const EPHEMERAL_PORT = 32_768;
const LISTED_WORKLOADS = 3;

/** Judges each pair of identities once. */
export function buildMatrix(
  sources: readonly MatrixEnd[],
  destinations: readonly MatrixEnd[],
  service: MatrixService,
  judge: Judge,
): Matrix {
  const fromKinds = byIdentity(sources);
  const toKinds = byIdentity(destinations);
  const byPair = fromKinds.map((source) =>
    toKinds.map((destination) => judgePair(source, destination, service, judge)),
  );
  const keys = byPair.map((row) => row.map(cellKey));
  const rows = groupAlike(fromKinds, (index) => (keys[index] as string[]).join('\n'));
  const columns = groupAlike(toKinds, (index) => keys.map((row) => row[index]).join('\n'));
  return {
    rows: rows.map((group) => describeGroup(group.ends, sources)),
    columns: columns.map((group) => describeGroup(group.ends, destinations)),
    cells: rows.map((row) => columns.map((column) => byPair[row.first]?.[column.first] as MatrixCell)),
  };
}

interface Alike {
  /** Index of the first of its identities. */
  readonly first: number;
  readonly ends: MatrixEnd[];
}

/** The first end of each identity, in order. The world and network sets are never one with workloads. */
function byIdentity(ends: readonly MatrixEnd[]): readonly MatrixEnd[] {
  const first = new Map<string, MatrixEnd>();
  for (const end of ends) {
    const key = `${end.kind} ${end.identity}`;
    if (!first.has(key)) first.set(key, end);
  }
  return [...first.values()];
}

function groupAlike(ends: readonly MatrixEnd[], keyOf: (index: number) => string): readonly Alike[] {
  const groups = new Map<string, Alike>();
  for (const [index, end] of ends.entries()) {
    const key = `${end.kind === 'workload' ? '' : end.name}\n${keyOf(index)}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { first: index, ends: [end] });
    else group.ends.push(end);
  }
  return [...groups.values()];
}

function describeGroup(representatives: readonly MatrixEnd[], all: readonly MatrixEnd[]): MatrixGroup {
  const identities = new Set(representatives.map(({ identity }) => identity));
  const [first] = representatives as readonly [MatrixEnd];
  const members = all.filter(({ kind, identity }) => kind === first.kind && identities.has(identity));
  const counts = new Map<string, number>();
  for (const { workload } of members) counts.set(workload, (counts.get(workload) ?? 0) + 1);
  const names = [...counts].map(([workload, count]) => (count > 1 ? `${workload} (${count} pods)` : workload));
  const rest = names.length - LISTED_WORKLOADS;
  const label = [...names.slice(0, LISTED_WORKLOADS), ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
  return {
    kind: first.kind,
    label: first.kind === 'networkSet' ? `${label} (network set)` : label,
    members: members.map(({ name }) => name),
  };
}

function judgePair(source: MatrixEnd, destination: MatrixEnd, service: MatrixService, judge: Judge): MatrixCell {
  const enforced = viewCell(source, destination, service, judge, 'enforced');
  const pending = viewCell(source, destination, service, judge, 'pending');
  const { verdict, decidedBy, families } = enforced;
  const cell = { verdict, decidedBy, ...(families === undefined ? {} : { families }) };
  if (pending.verdict === verdict && pending.answers === enforced.answers) return cell;
  return { ...cell, pending: pending.verdict, pendingDecidedBy: pending.decidedBy };
}

function viewCell(source: MatrixEnd, destination: MatrixEnd, service: MatrixService, judge: Judge, view: View) {
  const deciders = new Map<string, Decider>();
  const answers: Record<Family, string> = { 4: '', 6: '' };
  for (const family of FAMILIES) {
    const protocol = protocolIn(service, family);
    if (protocol === undefined) continue;
    const common = {
      protocol,
      sourcePort: hasPorts(protocol) ? EPHEMERAL_PORT : 0,
      destinationPort: service.port,
      icmpType: isIcmp(protocol) ? echoRequestType(protocol) : 0,
      icmpCode: 0,
    };
    for (const from of source.addresses.filter((address) => address.family === family)) {
      for (const to of destination.addresses.filter((address) => address.family === family)) {
        const verdict = viewOf(judge({ ...common, source: from, destination: to }), view);
        if (verdict.egress === null && verdict.ingress === null) continue;
        answers[family] += verdict.verdict === 'allow' ? 'a' : 'd';
        for (const decider of decisionsOf(verdict).map(deciderOf)) {
          deciders.set(`${decider.direction} ${decider.rule}`, decider);
        }
      }
    }
  }
  const verdict = verdictOf(answers[4] + answers[6]);
  const ipv4 = verdictOf(answers[4]);
  const ipv6 = verdictOf(answers[6]);
  const areDifferent = ipv4 !== ipv6 && ipv4 !== 'none' && ipv6 !== 'none';
  return {
    verdict,
    answers: `${answers[4]}/${answers[6]}`,
    decidedBy: [...deciders.values()],
    families: areDifferent ? { ipv4, ipv6 } : undefined,
  };
}

function verdictOf(answers: string): MatrixVerdict {
  if (answers === '') return 'none';
  if (answers.includes('a')) return answers.includes('d') ? 'mixed' : 'allow';
  return 'deny';
}

/** Cells that show and say the same are alike. */
function cellKey({ verdict, pending, decidedBy, pendingDecidedBy = [], families }: MatrixCell): string {
  const rules = [...decidedBy, ...pendingDecidedBy].map(({ direction, rule }) => `${direction} ${rule}`);
  return [verdict, pending ?? '', families?.ipv4 ?? '', families?.ipv6 ?? '', ...rules].join(';');
}

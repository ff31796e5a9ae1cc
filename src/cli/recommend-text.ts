// A recommendation as a person reads it: what it is made of, and what was proven of it.
import type { ProbeCount, ProofExample, ReplayCount } from '../analysis/recommend/proof.ts';
import type { Recommendation } from '../analysis/recommend/recommender.ts';
import { UNUSED_REASONS, type UnusedReason } from '../analysis/recommend/traffic.ts';
import { formatTable, paint } from './output.ts';

/** Whether the recommendation keeps its word: of what was seen it denies nothing, and of the rest it lets nothing through. */
export function isProven({ evidence, proof }: Recommendation, isLeftOutAccepted = false): boolean {
  const isComplete = isLeftOutAccepted || evidence.leftOut === 0;
  return isComplete && proof.replay.denied === 0 && proof.unseen.unexplained === 0;
}

/** Lines about the whole, which also stand above the policies as a comment. */
export function summaryLines({ evidence, proof, policies }: Recommendation): string[] {
  const rules = policies.reduce((sum, policy) => sum + policy.rules, 0);
  const unused = Object.entries(evidence.unused).map(
    ([reason, count]) => `not used: ${count} ${UNUSED_REASONS[reason as UnusedReason]}`,
  );
  return [
    `${plural(policies.length, 'policy', 'policies')} with ${plural(rules, 'rule')} for ${plural(evidence.flows, 'flow')} of ${plural(evidence.conversations, 'kind')}.`,
    ...(evidence.denied > 0 ? [`No rules for ${plural(evidence.denied, 'kind')} of flows that were denied.`] : []),
    ...unused,
    ...(evidence.leftOut > 0
      ? [paint(`Left out: ${plural(evidence.leftOut, 'flow')} that passed; the policies would deny them.`, 'red')]
      : []),
    `proof: ${describeReplay(proof.replay)}; ${describeProbes(proof.unseen)}.`,
    ...contextLines(proof.inContext),
    ...(proof.notReplayed > 0 ? [`Not judged again for want of room: ${plural(proof.notReplayed, 'flow')}.`] : []),
  ];
}

/** The table, and what is wrong with it. */
export function describeRecommendation(recommendation: Recommendation): string {
  const { policies, proof } = recommendation;
  const rows = policies.map(({ namespace, name, workload, endpoints, rules }) => [
    namespace ?? '-',
    name,
    workload,
    String(endpoints),
    String(rules),
  ]);
  return [
    formatTable(['NAMESPACE', 'POLICY', 'WORKLOAD', 'ENDPOINTS', 'RULES'], rows),
    '',
    ...summaryLines(recommendation),
    ...exampleLines('denied though it was seen', proof.replay.examples),
    ...exampleLines('let through though nobody was seen to send it', proof.unseen.examples),
    ...exampleLines('denied by policies that are in force', proof.inContext.replay.examples),
  ].join('\n');
}

function contextLines({ replay, unseen }: Recommendation['proof']['inContext']): string[] {
  const lines: string[] = [];
  if (replay.denied > 0) {
    const by = distinct(replay.examples.map(({ rule }) => rule));
    lines.push(`Policies in force deny ${plural(replay.denied, 'flow')} of these before or after: ${by}.`);
  }
  if (unseen.unexplained > 0) {
    const by = distinct(unseen.examples.map(({ rule }) => rule));
    lines.push(
      `Policies in force let through ${unseen.unexplained} of the ${unseen.probes} that were not seen: ${by}.`,
    );
  }
  return lines;
}

function describeReplay({ flows, denied }: ReplayCount): string {
  const text = `${plural(flows, 'different flow')} judged again, ${denied} denied`;
  return denied === 0 ? text : paint(text, 'red');
}

function describeProbes({ probes, denied, widened, unexplained }: ProbeCount): string {
  const text = `${plural(probes, 'flow')} that nobody was seen to send: ${denied} denied`;
  const wide = widened === 0 ? '' : `, ${widened} let through as rules say that cover more`;
  return unexplained === 0 ? text + wide : paint(`${text}${wide}, ${unexplained} let through against it`, 'red');
}

function exampleLines(title: string, examples: readonly ProofExample[]): string[] {
  if (examples.length === 0) return [];
  return [
    '',
    `${title}:`,
    ...examples.map(({ flow, direction, rule }) => `  ${JSON.stringify(flow)} ${direction} ${rule}`),
  ];
}

function distinct(texts: readonly string[]): string {
  return [...new Set(texts)].slice(0, 4).join(', ');
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

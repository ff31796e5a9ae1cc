// Why a flow is judged as it is, as a person reads it.
import type { LineAuthor } from '../agent/git-blame.ts';
import type { Who } from '../agent/store/actor.ts';
import type { TurnStep } from '../analysis/why/turn.ts';
import type { Change, Why, WhyEntry, WhyRecorded, WhySide } from '../analysis/why/why.ts';
import { describeWho } from './change-text.ts';
import { formatTable, paint } from './output.ts';

/** Of a place in a file; undefined = nobody knows. */
export type Blame = (where: string) => LineAuthor | undefined;

export function describeWhy(why: Why, flow: string, blame: Blame): string {
  const { verdict, sides, turn, recorded } = why;
  return [
    `${paint(verdict.toUpperCase(), colourOf(verdict))}  ${flow}`,
    ...(sides.length === 0 ? ['', 'neither end is an endpoint that is judged here: no policy has a say'] : []),
    ...(recorded === undefined ? [] : recordedLines(recorded)),
    ...sides.flatMap((side) => sideLines(side, blame)),
    ...(turn === undefined ? [] : turnLines(turn)),
  ].join('\n');
}

function sideLines(side: WhySide, blame: Blame): string[] {
  const { direction, endpoint, verdict, trace, staged } = side;
  const decider = trace.at(-1);
  const lines = ['', `${direction} of ${endpoint}: ${paint(verdict, colourOf(verdict))}`, traceTable(trace)];
  if (decider?.sentence !== undefined) lines.push(`  ${decider.sentence}`);
  else if (decider !== undefined && decider.ruleIndex < 0) lines.push(`  ${defaultWords(decider)}`);
  lines.push(...originLines(decider, blame));
  if (staged === undefined) return lines;
  const change = staged.verdict === verdict ? 'the same' : paint(staged.verdict, colourOf(staged.verdict));
  return [...lines, `  with every staged policy enforced: ${change}`, traceTable(staged.trace)];
}

function originLines(entry: WhyEntry | undefined, blame: Blame): string[] {
  const lines = entry?.change === undefined ? [] : [`  since ${changeWords(entry.change)}`];
  const author = entry?.where === undefined ? undefined : blame(entry.where);
  if (author === undefined) return lines;
  if (author.commit === '') return [...lines, '  since a change of the file that is not committed yet'];
  return [...lines, `  since commit ${author.commit} by ${author.author}, ${author.time}: ${author.summary}`];
}

function recordedLines(recorded: WhyRecorded): string[] {
  const { time, verdict, direction, reason, enforced, isPolicy, changed, isSameNow } = recorded;
  const when = time === undefined ? 'recorded' : new Date(time).toISOString();
  const why = reason === undefined || reason === '' ? '' : ` (${reason})`;
  const lines = [
    '',
    `${when}: ${paint(verdict, colourOf(verdict))}${direction === undefined ? '' : ` by ${direction}`}${why}`,
  ];
  if (!isPolicy)
    lines.push('  policy did not decide: the packet was dropped for that reason, see docs/observability.md');
  if (enforced.length > 0) lines.push(traceTable(enforced));
  for (const change of changed) lines.push(`  ${change.policy} was changed since: ${changeWords(change)}`);
  lines.push(isSameNow ? '  it would be judged the same now:' : paint('  it would be judged otherwise now:', 'yellow'));
  return lines;
}

function turnLines({ to, steps, isEnough }: NonNullable<Why['turn']>): string[] {
  if (steps.length === 0) return [];
  const verb = to === 'allow' ? 'To allow it' : 'To deny it';
  const proven = isEnough ? 'the reference evaluator agrees' : 'this alone is not enough';
  return ['', `${verb} (${proven}):`, ...steps.flatMap((step) => stepLines(step, to))];
}

function stepLines({ direction, endpoint, decides, because, where, yaml }: TurnStep, to: 'allow' | 'deny'): string[] {
  const place = where === undefined ? '' : `, ${where}`;
  const cause =
    because === 'rule'
      ? `change the rule ${decides}${place}, or apply`
      : `no rule ${to === 'allow' ? 'allows' : 'denies'} it (${decides}${place}): apply`;
  const policy = yaml
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '---');
  return [`  ${direction} of ${endpoint}: ${cause}`, ...policy.map((line) => `    ${line}`)];
}

function defaultWords({ tier, policy }: WhyEntry): string {
  if (policy.startsWith('pro:')) return 'no policy governs it, and its profiles decide';
  return `no rule of tier ${tier} speaks of it: the end of the tier decides, for ${policy} governs the endpoint`;
}

function changeWords({ revision, time, verb, who }: Change): string {
  return `revision ${revision}, ${verb} by ${describeWho(who as Who)}, ${time}`;
}

function traceTable(trace: readonly WhyEntry[]): string {
  const rows = trace.map(({ tier, policy, ruleIndex, action, where }, index) => [
    `  ${index}`,
    tier,
    policy,
    ruleIndex >= 0 ? String(ruleIndex) : 'default',
    action,
    where ?? 'built in',
  ]);
  return formatTable(['   ', 'TIER', 'POLICY', 'RULE', 'ACTION', 'WHERE'], rows);
}

function colourOf(verdict: 'allow' | 'deny'): 'green' | 'red' {
  return verdict === 'allow' ? 'green' : 'red';
}

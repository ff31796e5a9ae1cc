// Explanations as text for people. What is said is decided in src/analysis/explain; here it is only laid out.
import type { Access, DirectionAccess } from '../analysis/explain/access.ts';
import type { EndpointDirection, EndpointExplanation, GoverningTier } from '../analysis/explain/endpoint.ts';
import type { Neighbour, PolicyDirection, PolicyExplanation } from '../analysis/explain/policy.ts';
import type { ExplainedRule } from '../analysis/explain/rule-sentence.ts';
import type { Finding } from '../analysis/lint/finding.ts';
import { formatTable, paint } from './output.ts';

type WithWarnings<T> = T & { readonly warnings: readonly Finding[] };

const SHOWN = 8;
const ACTION_PAINT = { allow: 'green', deny: 'red', pass: 'yellow', log: 'dim' } as const;

export function formatPolicy(policy: WithWarnings<PolicyExplanation>): string {
  const { name, file, line, staged, tier, order, selects, endpoints, isForWorkloads, directions, warnings } = policy;
  const tierText = `tier ${tier.name} (${tier.exists ? `order ${orderText(tier.order)}` : 'not defined, evaluated last'}, at its end ${tier.defaultAction})`;
  const facts = [
    ['written', `${file}:${line}`],
    ['stands', `${tierText}, order ${orderText(order)}`],
    ['selects', `${selects === '' ? 'every endpoint' : `endpoints ${selects}`}: ${listNames(endpoints)}`],
    ...(staged ? [['staged', 'it decides nothing; traces and `pending` tell what it would']] : []),
    ...(isForWorkloads
      ? policy.appliesOnForward
        ? [['applies', 'to what host endpoints forward, too']]
        : []
      : [['applies', 'to host endpoints only: untracked and pre-DNAT policy governs no workload']]),
  ];
  return [
    paint(name, 'bold'),
    facts.map(([fact, text]) => `  ${fact?.padEnd(8)} ${text}`).join('\n'),
    ...directions.flatMap((direction) => [
      '',
      ...formatPolicyDirection(direction, tier.defaultAction, endpoints.length),
    ]),
    ...formatWarnings(warnings),
  ].join('\n');
}

function formatPolicyDirection(
  { direction, rules, before, after }: PolicyDirection,
  end: string,
  total: number,
): string[] {
  return [
    paint(direction, 'bold'),
    ...(before.length === 0 ? [] : [`  before it  ${before.map((other) => formatNeighbour(other, total)).join(', ')}`]),
    ...(rules.length === 0 ? [`  no rules: whatever comes here goes on to the end of the tier (${end})`] : []),
    ...rules.map((rule) => formatRule(rule, '  ')),
    ...(after.length === 0 ? [] : [`  after it   ${after.map((other) => formatNeighbour(other, total)).join(', ')}`]),
  ];
}

/** How many of the policy's endpoints the other one governs is only said when it is not all of them. */
function formatNeighbour({ policy, staged, endpoints }: Neighbour, total: number): string {
  return `${policy}${staged ? ' (staged)' : ''}${endpoints === total ? '' : ` on ${endpoints} of ${total}`}`;
}

export function formatEndpoint(endpoint: WithWarnings<EndpointExplanation>): string {
  const { name, file, line, node, addresses, ports, labels, directions, warnings } = endpoint;
  const facts = [
    ['written', `${file}:${line}`],
    [
      'is',
      `${endpoint.endpoint} on ${node}, interface ${endpoint.interface === '' ? 'not known' : endpoint.interface}`,
    ],
    ['has', addresses.length === 0 ? 'no address' : addresses.join(' ')],
    ...(endpoint.allowedSourcePrefixes.length === 0
      ? []
      : [['may send', `from ${endpoint.allowedSourcePrefixes.join(' ')} too`]]),
    ...(ports.length === 0 ? [] : [['ports', ports.join(', ')]]),
  ];
  return [
    paint(name, 'bold'),
    facts.map(([fact, text]) => `  ${fact?.padEnd(8)} ${text}`).join('\n'),
    '',
    formatTable(
      ['  LABEL', 'VALUE', 'FROM'],
      labels.map(({ label, value, from }) => [`  ${label}`, value, from]),
    ),
    ...directions.flatMap((direction) => ['', ...formatEndpointDirection(direction)]),
    ...formatWarnings(warnings),
  ].join('\n');
}

function formatEndpointDirection(direction: EndpointDirection): string[] {
  const isIngress = direction.direction === 'ingress';
  return [
    paint(direction.direction, 'bold'),
    ...(direction.tiers.length === 0 ? ['  no policy governs it'] : direction.tiers.flatMap(formatTier)),
    ...direction.profiles.flatMap(({ profile, exists, rules }) => [
      `  ${profile}${exists ? '' : ' does not exist: denies when it comes to it'}`,
      ...rules.map((rule) => formatRule(rule, '    ')),
    ]),
    '  end of profiles: deny',
    `  ${isIngress ? 'who may reach it' : 'whom it may reach'}, both ends considered:`,
    ...formatAccess(direction),
  ];
}

function formatTier({ tier, order, policies, end }: GoverningTier): string[] {
  return [
    `  tier ${tier} (order ${orderText(order)})`,
    ...policies.flatMap(({ policy, staged, order: own, file, line, rules }) => [
      `    ${policy} (order ${orderText(own)}${staged ? ', staged' : ''})  ${paint(`${file}:${line}`, 'dim')}`,
      ...rules.map((rule) => formatRule(rule, '      ')),
    ]),
    `    end of tier: ${end ?? 'only staged policies, so it goes on'}`,
  ];
}

function formatAccess({ allowed, pending }: DirectionAccess): string[] {
  const lines = (items: readonly Access[], none: string): string[] =>
    items.length === 0
      ? [`    ${none}`]
      : items.map(({ peers, services, families }) => `    ${peers}: ${services.join(', ')}${familyText(families)}`);
  if (pending === undefined) return lines(allowed, 'nobody');
  const { gained, lost } = pending;
  const isSame = gained.length + lost.length === 0;
  return [
    ...lines(allowed, 'nobody'),
    '  pending, if its staged policies were enforced:',
    ...(isSame ? ['    the same'] : []),
    ...(lost.length === 0 ? [] : lines(lost, '').map((line) => `    ${paint('lost', 'red')}   ${line.trim()}`)),
    ...(gained.length === 0 ? [] : lines(gained, '').map((line) => `    ${paint('gained', 'green')} ${line.trim()}`)),
  ];
}

function familyText(families: readonly number[]): string {
  return families.length === 2 ? '' : ` (IPv${families.join()})`;
}

function formatRule({ index, action, sentence, file, line }: ExplainedRule, indent: string): string {
  const text = sentence.replace(action, paint(action, ACTION_PAINT[action]));
  const place = file === '' ? '' : `  ${paint(`${file}:${line}`, 'dim')}`;
  return `${indent}${index}  ${text}${place}`;
}

function formatWarnings(warnings: readonly Finding[]): string[] {
  if (warnings.length === 0) return [];
  return [
    '',
    paint('lint', 'bold'),
    ...warnings.map(({ rule, severity, message, location, hint }) => {
      const advice = hint === undefined ? '' : ` (${hint})`;
      return `  ${severity}  line ${location.line}: ${message}${advice}  ${paint(rule, 'dim')}`;
    }),
  ];
}

function listNames(names: readonly string[]): string {
  if (names.length === 0) return 'now nobody';
  const shown = names.slice(0, SHOWN).join(', ');
  return `now ${names.length}: ${shown}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`;
}

function orderText(order: number | null): string {
  return order === null ? 'last' : String(order);
}

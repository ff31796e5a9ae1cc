// Parameters of questions about flows: those of the filter are the options of the command in camel case.
import { FILTER_OPTIONS } from '../../observe/flow-query/filter-options.ts';
import { TIME_EXPECTED } from '../../observe/flow-query/time.ts';
import { FLOW_SORTS, TOP_KEYS, TOP_MEASURES } from '../../observe/flow-store/question.ts';

/** Not those whose name other routes have too. */
export const FLOW_QUERY_NAMES = [
  'by',
  'filter',
  'from',
  'fromAddress',
  'fromLabel',
  'fromNamespace',
  'label',
  'last',
  'measure',
  'namespace',
  'node',
  'nodes',
  'pending',
  'policy',
  'port',
  'protocol',
  'reporter',
  'service',
  'since',
  'sort',
  'to',
  'toAddress',
  'toLabel',
  'toNamespace',
  'until',
  'verdict',
] as const;

export type FlowQueryName = (typeof FLOW_QUERY_NAMES)[number];

interface ParameterDoc {
  readonly description: string;
  readonly schema: object;
}

const text = { type: 'string' };
const texts = { type: 'array', items: text };

const OWN: Readonly<Record<string, ParameterDoc>> = {
  by: { description: 'What is summed up.', schema: { type: 'string', enum: TOP_KEYS } },
  filter: { description: 'An expression: docs/observability.md.', schema: texts },
  last: { description: 'The newest so many, the oldest of them first.', schema: { type: 'integer', minimum: 1 } },
  measure: { description: 'What the greatest is the greatest of.', schema: { type: 'string', enum: TOP_MEASURES } },
  nodes: {
    description: 'What a node of the graph stands for.',
    schema: { type: 'string', enum: ['name', 'namespace'] },
  },
  since: { description: `Flows that ended then or later: ${TIME_EXPECTED}.`, schema: text },
  sort: { description: '- = the greatest, or latest, first.', schema: { type: 'string', enum: FLOW_SORTS } },
  until: { description: `Flows that began before: ${TIME_EXPECTED}.`, schema: text },
};

/** `from-label` is the option, `fromLabel` the parameter. */
export function parameterOf(option: string): string {
  return option.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

export const FLOW_QUERY = Object.fromEntries(
  FLOW_QUERY_NAMES.map((name): [string, ParameterDoc] => {
    const option = FILTER_OPTIONS.find((one) => parameterOf(one.name) === name);
    return [name, OWN[name] ?? { description: `Flows ${option?.meaning}.`, schema: texts }];
  }),
) as unknown as Readonly<Record<FlowQueryName, ParameterDoc>>;

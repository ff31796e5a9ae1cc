// The fields that filters speak of, by name: which values each takes, and which condition they make. Both the text of --filter and
// the options of a command come through here, so that they mean the same.
import { protocolName } from '../../model/flow.ts';
import { protocolNumber } from '../../model/flow-question.ts';
import { prefixKeys } from './address-key.ts';
import { alikeName } from './alike-name.ts';
import { allOf, type FlowFilter, type FlowSide, MAX_WILDCARDS, ofEitherSide } from './filter.ts';
import { hasWildcard } from './wildcard.ts';

export interface FilterField {
  /** Completes `expected ...`. */
  readonly expected: string;
  /** Whether `<`, `<=`, `>`, `>=` may stand before the value. */
  readonly isNumber?: boolean;
  /** undefined = the field has no such value. */
  readonly make: (value: string) => FlowFilter | undefined;
}

const PORT_MAX = 65_535;
const VERDICTS: Readonly<Record<string, string>> = { allow: 'allow', allowed: 'allow', deny: 'deny', denied: 'deny' };
const REPORTERS: Readonly<Record<string, string>> = { src: 'src', source: 'src', dst: 'dst', destination: 'dst' };

const END = 'NAMESPACE/NAME, NAMESPACE/ or NAME, in which * stands for any characters';
const LABEL = 'KEY=VALUE, or KEY alone for any value';
const ADDRESS = 'an address or a prefix, e.g. 10.0.0.0/8';
const PATTERN = `text, in which * stands for any characters, ${MAX_WILDCARDS} times at most`;

/** By name in expressions. */
export const FILTER_FIELDS: ReadonlyMap<string, FilterField> = new Map<string, FilterField>([
  ['from', { expected: END, make: (value) => endOf('source', value) }],
  ['to', { expected: END, make: (value) => endOf('destination', value) }],
  ...ofSides('namespace', PATTERN, (side, value) => wildcard(value, { kind: 'namespace', side, pattern: value })),
  ...ofSides('name', PATTERN, (side, value) => wildcard(value, nameOf(side, value))),
  ...ofSides('label', LABEL, labelOf),
  ...ofSides('address', ADDRESS, addressOf),
  ['port', portField('destinationPort')],
  ['to.port', portField('destinationPort')],
  ['from.port', portField('sourcePort')],
  ['verdict', choiceField('action', VERDICTS, 'allow or deny')],
  ['pending', choiceField('pending', VERDICTS, 'allow or deny')],
  ['reporter', choiceField('reporter', REPORTERS, 'src or dst')],
  ['protocol', { expected: 'the name of a protocol or its number, 0-255', make: protocolOf }],
  ['policy', { expected: PATTERN, make: (value) => wildcard(value, { kind: 'policy', pattern: value }) }],
  ...(['reason', 'node', 'service', 'state'] as const).map((field): [string, FilterField] => [
    field,
    { expected: PATTERN, make: (value) => wildcard(value, { kind: 'text', field, pattern: value }) },
  ]),
  ['bytes', countField('bytes')],
  ['packets', countField('packets')],
]);

/** One for either end, and one for each. */
function ofSides(
  name: string,
  expected: string,
  make: (side: FlowSide, value: string) => FlowFilter | undefined,
): [string, FilterField][] {
  return [
    [
      name,
      {
        expected,
        make: (value) =>
          make('source', value) === undefined ? undefined : ofEitherSide((side) => make(side, value) as FlowFilter),
      },
    ],
    [`from.${name}`, { expected, make: (value) => make('source', value) }],
    [`to.${name}`, { expected, make: (value) => make('destination', value) }],
  ];
}

function endOf(side: FlowSide, value: string): FlowFilter | undefined {
  const slash = value.indexOf('/');
  const [namespace, name] = slash < 0 ? [undefined, value] : [value.slice(0, slash), value.slice(slash + 1)];
  if (value === '' || value === '/' || countStars(value) > MAX_WILDCARDS) return undefined;
  return allOf([
    ...(namespace === undefined || namespace === '*' ? [] : [{ kind: 'namespace', side, pattern: namespace } as const]),
    ...(name === '' || name === '*' ? [] : [nameOf(side, name)]),
  ]);
}

/** The pod that kubectl names is in the aggregates of its controller's pods, which have no other name. */
function nameOf(side: FlowSide, pattern: string): FlowFilter {
  const alike = hasWildcard(pattern) ? undefined : alikeName(pattern);
  return { kind: 'name', side, pattern, ...(alike === undefined ? {} : { alike }) };
}

function labelOf(side: FlowSide, value: string): FlowFilter | undefined {
  const at = value.indexOf('=');
  const [key, wanted] = at < 0 ? [value, undefined] : [value.slice(0, at), value.slice(at + 1)];
  return key === '' ? undefined : { kind: 'label', side, key, ...(wanted === undefined ? {} : { value: wanted }) };
}

function addressOf(side: FlowSide, value: string): FlowFilter | undefined {
  const keys = prefixKeys(value);
  return keys === undefined ? undefined : { kind: 'address', side, ...keys };
}

function protocolOf(value: string): FlowFilter | undefined {
  const number = protocolNumber(value);
  return number === undefined ? undefined : { kind: 'text', field: 'protocol', pattern: protocolName(number) };
}

function choiceField(
  field: 'action' | 'pending' | 'reporter',
  choices: Readonly<Record<string, string>>,
  expected: string,
): FilterField {
  return {
    expected,
    make: (value) => {
      const known = value.toLowerCase();
      return Object.hasOwn(choices, known) ? { kind: 'text', field, pattern: choices[known] as string } : undefined;
    },
  };
}

function portField(field: 'sourcePort' | 'destinationPort'): FilterField {
  return {
    expected: 'a port or a range of ports, 0-65535',
    isNumber: true,
    make: (value) => range(field, value, PORT_MAX),
  };
}

function countField(field: 'bytes' | 'packets'): FilterField {
  return {
    expected: 'a whole number or a range of them, e.g. 10-20',
    isNumber: true,
    make: (value) => range(field, value, Number.MAX_SAFE_INTEGER),
  };
}

function range(
  field: 'bytes' | 'packets' | 'sourcePort' | 'destinationPort',
  value: string,
  most: number,
): FlowFilter | undefined {
  const [, from, to = from] = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(value) ?? [];
  const [low, high] = [Number(from), Number(to)];
  return from !== undefined && low <= high && high <= most ? { kind: 'number', field, low, high } : undefined;
}

function wildcard(value: string, condition: FlowFilter): FlowFilter | undefined {
  return value !== '' && countStars(value) <= MAX_WILDCARDS ? condition : undefined;
}

function countStars(value: string): number {
  return value.split('*').length - 1;
}

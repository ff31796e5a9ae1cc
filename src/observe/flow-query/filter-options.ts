// The options that ask for flows, as hubble's and Whisker's users know them: one that is given more than once lets either value
// through, different ones must hold together.

import { DataplaneError } from '../../base/errors.ts';
import { allOf, anyOf, countConditions, EVERY_FLOW, type FlowFilter, MAX_CONDITIONS } from './filter.ts';
import { makeCondition, parseFilter } from './parse-filter.ts';

export interface FilterOption {
  /** Of the option, `--from-label`, and of the API's parameter. */
  readonly name: string;
  /** In filter-fields.ts. */
  readonly field: string;
  readonly placeholder: string;
  readonly meaning: string;
}

/** In the order of a command's help. */
export const FILTER_OPTIONS: readonly FilterOption[] = [
  {
    name: 'from',
    field: 'from',
    placeholder: 'ns/name',
    meaning: 'whose source is this: NAMESPACE/NAME, NAMESPACE/ or NAME, * for any characters',
  },
  { name: 'to', field: 'to', placeholder: 'ns/name', meaning: 'whose destination is this' },
  { name: 'namespace', field: 'namespace', placeholder: 'name', meaning: 'of which either end is in this namespace' },
  {
    name: 'from-namespace',
    field: 'from.namespace',
    placeholder: 'name',
    meaning: 'whose source is in this namespace',
  },
  {
    name: 'to-namespace',
    field: 'to.namespace',
    placeholder: 'name',
    meaning: 'whose destination is in this namespace',
  },
  {
    name: 'label',
    field: 'label',
    placeholder: 'key=value',
    meaning: 'of which either end has this label; KEY alone: whatever its value',
  },
  { name: 'from-label', field: 'from.label', placeholder: 'key=value', meaning: 'whose source has this label' },
  { name: 'to-label', field: 'to.label', placeholder: 'key=value', meaning: 'whose destination has this label' },
  {
    name: 'address',
    field: 'address',
    placeholder: 'cidr',
    meaning: 'of which either end has this address, or one of this prefix',
  },
  { name: 'from-address', field: 'from.address', placeholder: 'cidr', meaning: 'whose source has such an address' },
  { name: 'to-address', field: 'to.address', placeholder: 'cidr', meaning: 'whose destination has such an address' },
  { name: 'verdict', field: 'verdict', placeholder: 'verdict', meaning: 'allow or deny' },
  {
    name: 'pending',
    field: 'pending',
    placeholder: 'verdict',
    meaning: 'what would become of them if staged policies were enforced: allow or deny',
  },
  { name: 'port', field: 'port', placeholder: 'port', meaning: 'to this port, or range of ports' },
  { name: 'protocol', field: 'protocol', placeholder: 'name', meaning: 'of this protocol, by name or number' },
  {
    name: 'reason',
    field: 'reason',
    placeholder: 'text',
    meaning: 'dropped for this reason, e.g. drop_ingress_policy',
  },
  {
    name: 'policy',
    field: 'policy',
    placeholder: 'ns/name',
    meaning: 'that this policy spoke about, enforced or staged; a global one by its name',
  },
  { name: 'service', field: 'service', placeholder: 'ns/name', meaning: 'to this service' },
  { name: 'node', field: 'node', placeholder: 'name', meaning: 'that this node reported' },
  { name: 'reporter', field: 'reporter', placeholder: 'end', meaning: 'as this end saw them: src or dst' },
];

/** `name` is FilterOption.name, or `filter` for a whole expression. */
export type GivenFilters = (name: string) => readonly string[];

/** Throws INVALID_FILTER. */
export function filterOfOptions(given: GivenFilters): FlowFilter {
  const asked = FILTER_OPTIONS.flatMap(({ name, field }) => {
    const values = given(name);
    return values.length === 0 ? [] : [anyOf(values.map((value) => makeCondition(name, field, value)))];
  });
  const operands = [...asked, ...given('filter').map(parseFilter)];
  const filter = operands.length === 0 ? EVERY_FLOW : allOf(operands);
  if (countConditions(filter) <= MAX_CONDITIONS) return filter;
  throw new DataplaneError('INVALID_FILTER', 'asks for too much', {
    operation: 'parse',
    target: 'filter',
    found: `${countConditions(filter)} conditions`,
    expected: `${MAX_CONDITIONS} at most`,
  });
}

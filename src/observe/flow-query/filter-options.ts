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
export const FILTER_OPTIONS: readonly FilterOption[] = (
  [
    ['from', 'ns/name', 'whose source is this: NAMESPACE/NAME, NAMESPACE/ or NAME, * for any characters'],
    ['to', 'ns/name', 'whose destination is this'],
    ['namespace', 'name', 'of which either end is in this namespace'],
    ['from-namespace', 'name', 'whose source is in this namespace'],
    ['to-namespace', 'name', 'whose destination is in this namespace'],
    ['label', 'key=value', 'of which either end has this label; KEY alone: whatever its value'],
    ['from-label', 'key=value', 'whose source has this label'],
    ['to-label', 'key=value', 'whose destination has this label'],
    ['address', 'cidr', 'of which either end has this address, or one of this prefix'],
    ['from-address', 'cidr', 'whose source has such an address'],
    ['to-address', 'cidr', 'whose destination has such an address'],
    ['verdict', 'verdict', 'allow or deny'],
    ['pending', 'verdict', 'what would become of them if staged policies were enforced: allow or deny'],
    ['port', 'port', 'to this port, or range of ports'],
    ['protocol', 'name', 'of this protocol, by name or number'],
    ['reason', 'text', 'dropped for this reason, e.g. drop_ingress_policy'],
    ['policy', 'ns/name', 'that this policy spoke about, enforced or staged; a global one by its name'],
    ['service', 'ns/name', 'to this service'],
    ['node', 'name', 'that this node reported'],
    ['reporter', 'end', 'as this end saw them: src or dst'],
  ] as const
).map(([name, placeholder, meaning]) => ({ name, field: name.replace('-', '.'), placeholder, meaning }));

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

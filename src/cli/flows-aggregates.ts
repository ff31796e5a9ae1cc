// What to say to somebody who asks the store for what aggregates do not tell.
import { conditionsOf, type FlowCondition } from '../observe/flow-query/filter.ts';
import { filterOfOptions } from '../observe/flow-query/filter-options.ts';
import { type FilterFlags, givenFilters } from './flows-options.ts';
import { printWarning } from './output.ts';
import { readStoreStatus } from './store-waits.ts';

/** The agent is asked only where it matters. Throws INVALID_FILTER. */
export async function warnOfAggregates(socket: string, flags: FilterFlags): Promise<void> {
  const absent = new Set(conditionsOf(filterOfOptions(givenFilters(flags))).flatMap(absentOf));
  if (absent.size === 0 || (await readStoreStatus(socket)).mode !== 'aggregated') return;
  const what = [...absent].join(' and no ');
  printWarning(
    `the store has aggregates (flowStore), which have no ${what}: no filter finds them by it; tortie flows --follow has every record`,
  );
}

/** Of what aggregator.ts leaves out. */
function absentOf(condition: FlowCondition): string[] {
  if (condition.kind === 'address') return ['address'];
  if (condition.kind === 'number' && condition.field === 'sourcePort') return ['source port'];
  return condition.kind === 'text' && condition.field === 'state' ? ['state'] : [];
}

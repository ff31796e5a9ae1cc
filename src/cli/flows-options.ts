// Options of the commands that ask for flows: made from the table of filter options, and given to the agent as parameters.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parameterOf } from '../agent/api/flow-query.ts';
import { FILTER_OPTIONS, filterOfOptions, type GivenFilters } from '../observe/flow-query/filter-options.ts';
import { parseTime, TIME_EXPECTED } from '../observe/flow-query/time.ts';
import type { AgentRequest } from './agent-client.ts';

export type FilterFlags = Readonly<Record<string, unknown>>;

export const FILTER_HELP = `
An option that is given more than once lets either value through; different options must hold together.
An expression says more:
  --filter 'from = shop/web-* and port in {80, 443} and not verdict = allow'
  --filter '(to.address = 10.0.0.0/8 or to.namespace = infra) and bytes > 1000000'`;

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value];

/** Adds --from, --to and so on, and --filter. */
export function addFilterOptions(command: Command): Command {
  for (const { name, placeholder, meaning } of FILTER_OPTIONS) {
    command.addOption(new Option(`--${name} <${placeholder}>`, `flows ${meaning}`).argParser(collect));
  }
  const option = new Option('--filter <expression>', 'flows for which an expression holds: docs/observability.md');
  return command.addOption(option.argParser(collect));
}

export function addWindowOptions(command: Command): Command {
  return command
    .addOption(new Option('--since <time>', `flows that ended then or later: ${TIME_EXPECTED}`).argParser(checkTime))
    .addOption(new Option('--until <time>', 'flows that began before').argParser(checkTime));
}

function checkTime(text: string): string {
  if (parseTime(text, Date.now()) === undefined) throw new InvalidArgumentError(`expected ${TIME_EXPECTED}`);
  return text;
}

/** What the flags say of one option. */
export function givenFilters(flags: FilterFlags): GivenFilters {
  return (name) => (flags[parameterOf(name)] as readonly string[] | undefined) ?? [];
}

/** As parameters of the API. Throws INVALID_FILTER before anybody is asked. */
export function filterQuery(flags: FilterFlags): NonNullable<AgentRequest['query']> {
  const given = givenFilters(flags);
  filterOfOptions(given);
  const names = [...FILTER_OPTIONS.map(({ name }) => name), 'filter'];
  return Object.fromEntries(
    names.flatMap((name) => (given(name).length === 0 ? [] : [[parameterOf(name), given(name)]])),
  );
}

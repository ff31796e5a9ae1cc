// What the query of a change asks for, and how its result is answered: as an object, or as a report with what it changes for
// packets.
import { findDifference } from '../../analysis/diff/difference.ts';
import { DataplaneError } from '../../base/errors.ts';
import type { Resource } from '../../resources/resource.ts';
import { loadStates } from '../policy-states.ts';
import type { ChangeRequest, ChangeResult } from '../store/change-desk.ts';
import { MAX_CONFIRM_MS } from '../store/confirmation.ts';
import type { FileObject, ObjectChange } from '../store/history.ts';
import { readResource, type StoredObject, showStored } from '../store/stored-object.ts';
import { invalidRequest } from './failure.ts';
import { NOT_IN_FORCE_HEADER } from './headers.ts';
import type { ApiAgent, ApiContext, ApiRequest, QueryName, Reply } from './route.ts';

export const CHANGE_QUERY: readonly QueryName[] = ['dryRun', 'diff', 'force', 'confirm', 'session'];

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };
/** The difference is found while nothing else is done: with more objects that takes seconds. */
const MAX_DIFF_OBJECTS = 5000;

type Asked = Pick<ChangeRequest, 'verb' | 'plan'>;
type OptionName = 'isDryRun' | 'isForced' | 'confirmMs' | 'session';

/** Carries a change out as its query asks. Answers with a report, or with the object if `isObject` and no report is asked for. */
export async function answerChange(
  { agent }: ApiContext,
  request: ApiRequest,
  asked: Asked,
  isObject = false,
): Promise<Reply> {
  await agent.loaded;
  const options = changeOptions(request);
  const { desk } = agent.stored;
  const full: ChangeRequest = { ...asked, ...options, actor: request.actor };
  const isDiffWanted = flagOf(request.query, 'diff');
  const difference = isDiffWanted ? differenceOf(agent, await desk.submit({ ...full, isDryRun: true })) : undefined;
  const result = await desk.submit(full);
  return describeChange(result, {
    isDryRun: options.isDryRun === true,
    difference,
    isObject: isObject && !isDiffWanted,
  });
}

/** Of a request that changes something. Throws INVALID_REQUEST. */
export function changeOptions({ query }: ApiRequest): Pick<ChangeRequest, OptionName> {
  const dryRun = query.get('dryRun');
  if (dryRun !== null && dryRun !== 'All')
    throw invalidRequest('dryRun', 'is not known', { found: dryRun, expected: 'All' });
  const confirm = query.get('confirm');
  return {
    isDryRun: dryRun !== null,
    isForced: flagOf(query, 'force'),
    session: query.get('session') ?? undefined,
    ...(confirm === null ? {} : { confirmMs: parseDuration(confirm) }),
  };
}

/** true, false, or alone. Throws INVALID_REQUEST. */
export function flagOf(query: URLSearchParams, name: QueryName): boolean {
  const text = query.get(name);
  if (text === null || text === 'false') return false;
  if (text === '' || text === 'true' || text === '1') return true;
  throw invalidRequest(name, 'is not a flag', { found: text, expected: 'true or false' });
}

/** A whole number. Throws INVALID_REQUEST. */
export function numberOf(query: URLSearchParams, name: QueryName, minimum: number): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= minimum) return value;
  throw invalidRequest(name, 'is not a number', { found: text, expected: `a whole number from ${minimum}` });
}

function parseDuration(text: string): number {
  const [, count = '', unit = 's'] = /^([1-9]\d{0,8})([smh]?)$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNIT_MS[unit || 's'] as number);
  if (count !== '' && durationMs <= MAX_CONFIRM_MS) return durationMs;
  throw invalidRequest('confirm', 'is not a time', { found: text, expected: 'such as 60s, 5m or 1h, at most 24h' });
}

/** A report of the result. */
export function describeResult(result: ChangeResult, isDryRun: boolean): Reply {
  return describeChange(result, { isDryRun, difference: undefined, isObject: false });
}

function describeChange(
  { revision, changes, confirmation, kept, notInForce }: ChangeResult,
  { isDryRun, difference, isObject }: { isDryRun: boolean; difference: unknown; isObject: boolean },
): Reply {
  const headers = {
    'x-tortie-revision': String(revision),
    ...(confirmation === undefined ? {} : { 'x-tortie-confirm-by': confirmation.expires }),
    ...(notInForce === undefined ? {} : { [NOT_IN_FORCE_HEADER]: 'true' }),
  };
  const [first] = changes;
  if (isObject && first?.after !== undefined) {
    return { status: outcomeOf(first) === 'created' ? 201 : 200, body: showStored(first.after), headers };
  }
  const body = {
    kind: 'ChangeReport',
    apiVersion: 'tortie.io/v1',
    revision: String(revision),
    dryRun: isDryRun,
    ...(confirmation === undefined ? {} : { confirmation }),
    changes: changes.map((change) => ({ id: change.id, result: outcomeOf(change), object: shown(change) })),
    ...(kept === undefined ? {} : { kept }),
    ...(notInForce === undefined ? {} : { inForce: false, error: notInForce.message }),
    ...(difference === undefined ? {} : { difference }),
  };
  return { body, headers };
}

export function outcomeOf({
  before,
  after,
}: ObjectChange<FileObject | StoredObject>): 'created' | 'configured' | 'unchanged' | 'deleted' {
  if (after === before) return 'unchanged';
  if (after === undefined) return 'deleted';
  return before === undefined ? 'created' : 'configured';
}

function shown({ before, after }: ObjectChange): unknown {
  const object = after ?? before;
  return object === undefined ? null : showStored(object);
}

function differenceOf(agent: ApiAgent, { changes }: ChangeResult): unknown {
  const before = new Map([...agent.resources()].map((resource): [string, Resource] => [resource.id, resource]));
  if (before.size > MAX_DIFF_OBJECTS) {
    throw new DataplaneError('LIMIT_EXCEEDED', 'too many objects to compare inside the agent', {
      operation: 'compare',
      target: 'change',
      found: `${before.size} objects`,
      expected: `at most ${MAX_DIFF_OBJECTS}`,
      hint: 'compare outside it: tortie diff live DIR',
    });
  }
  const after = new Map(before);
  for (const { id, after: object } of changes) {
    if (object === undefined) after.delete(id);
    else after.set(id, readResource(object.manifest));
  }
  return findDifference(loadStates({ objects: before, errors: [] }, { objects: after, errors: [] }));
}

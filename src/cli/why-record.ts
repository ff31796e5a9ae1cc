// What `tortie why` is asked about, where that is a record: of a file, of standard input, or of the store by its id.
import { existsSync, readFileSync } from 'node:fs';
import { EndpointNames } from '../analysis/endpoint-names.ts';
import { isFields } from '../analysis/flow-logs/fields.ts';
import { isFlowLog, type LoggedFlow, readFlowLog, recordedFlowOf } from '../analysis/flow-logs/flow-log.ts';
import type { Fields } from '../analysis/flow-logs/recorded-flow.ts';
import { EndResolver } from '../analysis/simulate-resolve.ts';
import type { Past } from '../analysis/why/why.ts';
import { DataplaneError } from '../base/errors.ts';
import { formatAddress, type IpAddress } from '../model/address.ts';
import type { Flow } from '../model/flow.ts';
import { parseFlowQuestion } from '../model/flow-question.ts';
import type { World } from '../model/world.ts';
import { parseFlowId } from '../observe/flow-store/flow-id.ts';
import { sendToAgent } from './agent-client.ts';

export interface Asked {
  readonly flow: Flow;
  readonly past?: Past;
}

const MAX_SEQUENCE = 999_999_999_999_999;

/** A stored flow by its id, or what a file says. Throws NOT_FOUND, FILE_UNREADABLE, INVALID_FLOW. */
export async function findRecord(record: string, socket: string): Promise<Fields> {
  const place = parseFlowId(record);
  if (place === undefined || existsSync(record)) return readRecord(record);
  const { time, sequence } = place;
  // The first behind the place before it is the record itself, if there is one.
  const before = sequence > 0 ? `${time}.${sequence - 1}` : `${time - 1}.${MAX_SEQUENCE}`;
  const query = { sort: 'time', limit: 1, continue: before, since: String(time), until: String(time + 1) };
  const { items } = (await sendToAgent<{ items: readonly Fields[] }>(socket, { method: 'GET', path: '/flows', query }))
    .body;
  const [found] = items;
  if (found?.id === record) return found;
  throw new DataplaneError('NOT_FOUND', 'no such flow is stored (any more)', {
    operation: 'why',
    target: `flow ${record}`,
    hint: 'ids are those of tortie flows -o wide',
  });
}

/** Whether the record says between which addresses it was. */
export function hasAddresses(record: Fields): boolean {
  if (!isFlowLog(record)) return true;
  const { source, destination } = readFlowLog(record);
  return source.address !== '' && destination.address !== '';
}

/** Throws FILE_UNREADABLE, INVALID_FLOW. */
function readRecord(file: string): Fields {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const what = `cannot be read: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    throw new DataplaneError('FILE_UNREADABLE', what, { operation: 'why', target: file, cause });
  }
  const value = parseJson(text) ?? parseJson(text.split('\n', 1)[0] ?? '');
  const record = Array.isArray(value)
    ? value[0]
    : isFields(value) && Array.isArray(value.items)
      ? value.items[0]
      : value;
  if (isFields(record)) return record;
  throw new DataplaneError('INVALID_FLOW', 'is no record of a flow', {
    operation: 'why',
    target: file === '-' ? 'standard input' : file,
    expected: 'a JSON object of tortie flows, monitor or drops',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `world` = where ends without an address are looked for by name. Throws INVALID_FLOW. */
export function readAsked(record: Fields, world?: World): Asked {
  if (isFlowLog(record)) return askedByLog(readFlowLog(record), world);
  if ('src' in record) return { flow: parseFlowQuestion(record).flow };
  return askedByEvent(record);
}

function askedByLog(log: LoggedFlow, world: World | undefined): Asked {
  const { protocol, source, destination, icmpType, icmpCode, enforced, pending, reason } = log;
  const [src, dst] = addressesOf(log, world);
  const question = {
    src,
    dst,
    protocol,
    srcPort: source.port === 0 ? undefined : source.port,
    dstPort: destination.port,
    icmpType,
    icmpCode,
  };
  return {
    flow: parseFlowQuestion(question).flow,
    past: {
      time: log.endTime,
      verdict: log.action,
      direction: log.reporter === 'src' ? 'egress' : 'ingress',
      enforced,
      pending,
      ...(reason === undefined ? {} : { reason }),
    },
  };
}

/** As recorded, else of the first of those that the names may mean, in a family that both have. */
function addressesOf(log: LoggedFlow, world: World | undefined): readonly [string, string] {
  const { source, destination } = log;
  if (source.address !== '' && destination.address !== '') return [source.address, destination.address];
  const resolver = world && new EndResolver(world, new EndpointNames(world));
  const recorded = recordedFlowOf(log);
  const [from, to] = [recorded.source, recorded.destination].map((end) => {
    const resolved = resolver?.resolve(end);
    return resolved === undefined || 'unresolved' in resolved ? [] : resolved.addresses;
  }) as [readonly IpAddress[], readonly IpAddress[]];
  for (const start of from) {
    const end = to.find(({ family }) => family === start.family);
    if (end !== undefined) return [formatAddress(start), formatAddress(end)];
  }
  throw new DataplaneError('INVALID_FLOW', 'has no addresses, and its names are not known (any more)', {
    operation: 'why',
    target: 'flow log',
    hint: 'take a record that is not aggregated, or ask with --from and --to',
  });
}

/** A line of tortie monitor or tortie drops. */
function askedByEvent(record: Fields): Asked {
  const { source, destination, protocol, sourcePort, destinationPort, icmpType, icmpCode, time, reason } = record;
  const question = {
    src: source,
    dst: destination,
    protocol,
    srcPort: sourcePort,
    dstPort: destinationPort,
    icmpType,
    icmpCode,
  };
  const sides = (['ingress', 'egress'] as const).map((direction) => ({ direction, side: record[direction] }));
  const denied =
    sides.find(({ side }) => isFields(side) && side.verdict === 'deny') ?? sides.find(({ side }) => isFields(side));
  const side = isFields(denied?.side) ? denied.side : {};
  const pending = isFields(side.pending) ? side.pending.trace : undefined;
  const at = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return {
    flow: parseFlowQuestion(question).flow,
    past: {
      ...(Number.isNaN(at) ? {} : { time: at }),
      verdict: record.kind === 'new-flow' ? 'allow' : 'deny',
      ...(denied?.side === undefined ? {} : { direction: denied.direction }),
      enforced: textsOf(side.trace),
      pending: textsOf(pending),
      ...(typeof reason === 'string' && reason !== '' ? { reason } : {}),
    },
  };
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

// One packet for each sentence, judged by the reference evaluator on both sides: the sentence must be true of it.
import { DataplaneError } from '../../base/errors.ts';
import { type Family, type IpAddress, parseAddress } from '../../model/address.ts';
import { type Flow, hasPorts } from '../../model/flow.ts';
import { type FlowText, formatQuestion } from '../../model/flow-question.ts';
import { isLinkScopeDiscovery } from '../../model/link-scope.ts';
import type { Direction } from '../../model/policy.ts';
import { formatTrace, type TraceEntry } from '../../model/trace.ts';
import type { FlowVerdict } from '../../model/verdict.ts';
import type { AddressGroup, Both } from './address-groups.ts';
import { addressAt } from './address-ranges.ts';
import type { ChangeKind } from './change-layers.ts';
import type { FlowJudge } from './judge.ts';
import type { PlacedRectangle } from './phrases.ts';
import { exampleServices, type Service } from './services.ts';

export interface Decision {
  readonly verdict: 'allow' | 'deny';
  /** Whose policy decided; null = neither end is an endpoint there. */
  readonly direction: Direction | null;
  /** `<tier>|<kind>:[<namespace>/]<name>|<action>|<rule>`; null = no policy. */
  readonly rule: string | null;
  readonly file?: string;
  readonly line?: number;
}

export interface Witness {
  readonly packet: FlowText;
  readonly before: Decision;
  readonly after: Decision;
}

/** Kernels choose ephemeral ports from here on. */
const SOURCE_PORT = 32768;
/** Ranges for documentation (RFC 5737, RFC 3849): plain addresses that are usually outside everything. */
const USUAL: Readonly<Record<Family, readonly string[]>> = {
  4: ['203.0.113.10', '198.51.100.10', '192.0.2.10'],
  6: ['2001:db8::10'],
};

/** Throws INTERNAL when the evaluator does not confirm the change. */
export function findWitness(
  { view, packets, sources, destinations }: PlacedRectangle,
  kind: ChangeKind,
  judges: Both<FlowJudge>,
): Witness {
  const services = exampleServices(view.space.slicesOf(packets));
  for (const source of addressesOf(view.groups, sources, judges)) {
    for (const destination of addressesOf(view.groups, destinations, judges)) {
      if (isOneEndpoint(source, destination, judges)) continue;
      for (const service of services) {
        const flow = flowOf(source, destination, service);
        if (!isLinkScopeDiscovery(flow)) return confirm(flow, kind, judges);
      }
    }
  }
  throw new DataplaneError('INTERNAL', 'a change has no packet', { operation: 'diff', target: 'sentence' });
}

/** Addresses of the groups; of each group of free addresses a few. */
function* addressesOf(
  groups: readonly AddressGroup[],
  indexes: readonly number[],
  judges: Both<FlowJudge>,
): Iterable<IpAddress> {
  for (const index of indexes) {
    const group = groups[index] as AddressGroup;
    for (const { address } of group.owned) yield address;
    for (const address of freeAddresses(group)) {
      if (judges.every((judge) => judge.endpointAt(address) === undefined)) yield address;
    }
  }
}

function* freeAddresses({ ranges, family }: AddressGroup): Iterable<IpAddress> {
  const usual = USUAL[family].map((text) => parseAddress(text) as IpAddress);
  for (const address of usual) {
    const number = address.words.reduce((sum, word) => (sum << 32n) | BigInt(word), 0n);
    if (ranges.some(({ first, last }) => first <= number && number <= last)) yield address;
  }
  for (const { first, last } of ranges) {
    if (first < last) yield addressAt(first + 1n, family);
    for (let number = first; number <= last; number += 1n) yield addressAt(number, family);
  }
}

function isOneEndpoint(source: IpAddress, destination: IpAddress, judges: Both<FlowJudge>): boolean {
  return judges.some((judge) => {
    const sender = judge.endpointAt(source);
    return sender !== undefined && sender === judge.endpointAt(destination);
  });
}

function flowOf(source: IpAddress, destination: IpAddress, service: Service): Flow {
  const { protocol, destinationPort, icmpType, icmpCode, sourcePort = SOURCE_PORT } = service;
  const ports = hasPorts(protocol) ? { sourcePort, destinationPort } : { sourcePort: 0, destinationPort: 0 };
  return { source, destination, protocol, ...ports, icmpType, icmpCode };
}

function confirm(flow: Flow, kind: ChangeKind, judges: Both<FlowJudge>): Witness {
  const packet = formatQuestion(flow);
  const [before, after] = [judges[0].evaluate(flow), judges[1].evaluate(flow)];
  const expected = kind === 'lost' ? 'allow deny' : 'deny allow';
  const found = `${before.verdict} ${after.verdict}`;
  if (found !== expected) {
    const target = JSON.stringify(packet);
    throw new DataplaneError('INTERNAL', 'the reference evaluator disagrees', {
      operation: 'diff',
      target,
      found,
      expected,
    });
  }
  const denied = kind === 'lost' ? after : before;
  const direction: Direction = denied.egress?.verdict === 'deny' ? 'egress' : 'ingress';
  return { packet, before: decisionOf(before, direction), after: decisionOf(after, direction) };
}

/** On both sides the decision of the end that denies on one: the other allowing end is not the reason. */
function decisionOf(verdict: FlowVerdict, direction: Direction): Decision {
  const side = verdict[direction];
  const entry = side?.trace.at(-1);
  if (entry === undefined) return { verdict: verdict.verdict, direction: null, rule: null };
  const { location } = entry;
  const place = location === undefined || location.file === '' ? {} : { file: location.file, line: location.line };
  return { verdict: verdict.verdict, direction, rule: formatRule(entry), ...place };
}

function formatRule(entry: TraceEntry): string {
  return (formatTrace([entry])[0] as string).slice('0|'.length);
}

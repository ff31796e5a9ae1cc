// The shape of a file of policy tests. What the texts in it mean is read in policy-tests-parse.ts.
import { z } from 'zod';
import { protocolNumber } from '../model/flow-question.ts';

const END = /^\S+$/;
const SERVICE = String.raw`[A-Za-z0-9]+(?:\s+\S+)?`;
const LINE_PATTERN = new RegExp(String.raw`^(\S+)\s+->\s+(\S+)\s+(${SERVICE})$`);
const DECIDER = /^(?:(?:\d+\|)?[^|]+\|)?[a-z]+:[^|\s]+(?:\|(?:allow|deny|pass)\|-?\d+)?$/;

/** `ping` is an echo request of the family's ICMP. */
export const PING = 'ping';

const verdict = z.enum(['allow', 'deny']);
const end = z.string().regex(END, { error: 'an address, <namespace>/<name> or <namespace>/<beginning>*' });
const ends = z.union([end, z.array(end).min(1)]);
const number = (maximum: number) => z.number().int().min(0).max(maximum);
const trace = z.array(z.string());

const protocol = z
  .union([z.string(), z.number()])
  .refine((value) => isProtocol(value), { error: 'TCP, UDP, SCTP, ICMP, ICMPv6, UDPLite, ping or 0-255' });

const decider = z
  .string()
  .regex(DECIDER, { error: '<kind>:[<namespace>/]<name>, or a trace entry such as default|np:shop/web|allow|0' });

export const line = z.string().regex(LINE_PATTERN, {
  error: '<from> -> <to> <protocol> [<port>], e.g. shop/web-1 -> shop/db-1 TCP 5432',
});
const service = z.string().regex(new RegExp(`^${SERVICE}$`), { error: '<protocol> [<port>], e.g. TCP 5432' });

const test = z.strictObject({
  name: z.string().min(1).optional(),
  from: ends,
  to: ends,
  protocol: protocol.optional(),
  port: z.union([number(65535), z.string().min(1)]).optional(),
  sourcePort: number(65535).optional(),
  icmpType: number(255).optional(),
  icmpCode: number(255).optional(),
  expect: verdict,
  decidedBy: z.union([decider, z.array(decider).min(1)]).optional(),
  trace: z.strictObject({ egress: trace.optional(), ingress: trace.optional() }).optional(),
  pending: verdict.optional(),
});

const closed = z.union([
  z.boolean(),
  z.strictObject({ endpoints: z.array(end).min(2).optional(), services: z.array(service).min(1).optional() }),
]);

export const policyTests = z.strictObject({
  manifests: z.union([z.string().min(1), z.array(z.union([z.string().min(1), z.looseObject({})])).min(1)]),
  tests: z.array(test).optional(),
  allow: z.array(line).optional(),
  deny: z.array(line).optional(),
  closed: closed.optional(),
});

export type PolicyTestsDocument = z.infer<typeof policyTests>;
export type TestDocument = z.infer<typeof test>;

/** The parts of `<from> -> <to> <protocol> [<port>]`; the schema has checked that it is one. */
export function splitLine(text: string): { readonly from: string; readonly to: string; readonly service: string } {
  const [, from = '', to = '', service = ''] = LINE_PATTERN.exec(text) ?? [];
  return { from, to, service };
}

export function isProtocol(value: string | number): boolean {
  return String(value).toLowerCase() === PING || protocolNumber(value) !== undefined;
}

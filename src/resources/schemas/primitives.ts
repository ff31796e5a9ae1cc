// Field types that several kinds share. The message of a refinement is what the field expects.
import { z } from 'zod';
import { isMasked, parseIpText, parsePrefixText } from '../../base/ip-text.ts';
import { isInterfaceName } from '../names.ts';
import { isPortName, parsePort } from '../ports.ts';
import { PORT_PROTOCOL_NAMES, PROTOCOL_NAMES, protocolNumber, protocolProblem, supportsPorts } from '../protocols.ts';

export const labelMap = z.record(z.string(), z.string());

/** A name out of a list, in any case. */
export function choice(names: readonly string[]) {
  const accepted = new Set(names.map((name) => name.toLowerCase()));
  const error = `one of ${names.join(', ')}`;
  return z.string().refine((value) => accepted.has(value.toLowerCase()), { error, params: { candidates: names } });
}

/** A name out of a list, exactly as written there. */
export function exactChoice(names: readonly string[]) {
  const error = `one of ${names.join(', ')}`;
  return z.string().refine((value) => names.includes(value), { error, params: { candidates: names } });
}

export const selectorText = z.string().max(1024);

export const ipText = z.string().refine((text) => parseIpText(text) !== undefined, { error: 'an IP address' });

/** A CIDR with a length and without host bits. */
export const strictCidrText = z.string().refine(isStrictCidr, {
  error: 'a CIDR such as 10.1.0.0/16, without host bits',
  params: { what: 'invalid CIDR' },
});

/** A CIDR with a length; host bits are cut off, as Kubernetes does. */
export const cidrText = z
  .string()
  .refine((text) => text.includes('/') && parsePrefixText(text) !== undefined, { error: 'a CIDR such as 10.1.0.0/16' });

/** A CIDR or a bare address. */
export const netText = z
  .string()
  .refine((text) => parsePrefixText(text) !== undefined, { error: 'a CIDR or an IP address' });

/** A full-length CIDR or a bare address. */
export const hostNetText = z.string().refine(isHostNet, { error: 'an IP address, bare or with /32 or /128' });

export const protocolField = z.union([z.string(), z.number()]).superRefine((value, context) => {
  if (protocolNumber(value) !== undefined) return;
  const message = `a number 1-255 or one of ${PROTOCOL_NAMES.join(', ')}`;
  const params = { what: protocolProblem(value), candidates: PROTOCOL_NAMES };
  context.addIssue({ code: 'custom', message, params });
});

/** The protocol of a port: one that has ports. */
export const portProtocolField = z.union([z.string(), z.number()]).superRefine((value, context) => {
  const protocol = protocolNumber(value);
  if (supportsPorts(protocol)) return;
  const what = protocol === undefined ? protocolProblem(value) : 'protocol does not support ports';
  const message = PORT_PROTOCOL_NAMES.join(', ');
  context.addIssue({ code: 'custom', message, params: { what, candidates: PORT_PROTOCOL_NAMES } });
});

export const portField = z.union([z.string(), z.number()]).superRefine((value, context) => {
  const port = parsePort(value);
  if (port.kind !== 'invalid') return;
  context.addIssue({ code: 'custom', message: port.expected, params: { what: port.what } });
});

export const portNumber = z.number().int().min(1).max(65535);

export const portName = z
  .string()
  .refine(isPortName, { error: 'a name of at most 15 lower-case letters, digits and dashes' });

/** Empty = not given. */
export const interfaceName = z
  .string()
  .refine((name) => name === '' || isInterfaceName(name), { error: 'an interface name' });

/** `*` = every interface of the host. */
export const hostInterfaceName = z
  .string()
  .refine((name) => name === '' || name === '*' || isInterfaceName(name), { error: 'an interface name or *' });

/** Items of a list that is a set: each at most once. */
export function distinct(items: readonly string[], context: z.RefinementCtx): void {
  for (const [index, item] of items.entries()) {
    if (items.indexOf(item) === index) continue;
    const params = { what: 'specified more than once' };
    context.addIssue({ code: 'custom', message: 'each item once', path: [index], params });
  }
}

function isStrictCidr(text: string): boolean {
  if (!text.includes('/')) return false;
  const prefix = parsePrefixText(text);
  return prefix !== undefined && isMasked(prefix);
}

function isHostNet(text: string): boolean {
  const prefix = parsePrefixText(text);
  return prefix !== undefined && prefix.length === prefix.words.length * 32;
}

// Field types that several kinds share. The message of a refinement is what the field expects.
import { z } from 'zod';
import { isMasked, parseIpText, parsePrefixText } from '../../base/ip-text.ts';
import { isInterfaceName } from '../names.ts';
import { parsePort } from '../ports.ts';
import { PROTOCOL_NAMES, protocolNumber } from '../protocols.ts';

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
export const strictCidrText = z
  .string()
  .refine(isStrictCidr, { error: 'a CIDR such as 10.1.0.0/16, without host bits' });

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

export const protocolField = z.union([z.string(), z.number()]).refine((value) => protocolNumber(value) !== undefined, {
  error: `a number 1-255 or one of ${PROTOCOL_NAMES.join(', ')}`,
  params: { candidates: PROTOCOL_NAMES },
});

export const portField = z.union([z.string(), z.number()]).superRefine((value, context) => {
  const port = parsePort(value);
  if (port.kind === 'invalid') context.addIssue({ code: 'custom', message: port.expected });
});

export const portNumber = z.number().int().min(1).max(65535);

export const interfaceName = z
  .string()
  .refine((name) => name === '' || name === '*' || isInterfaceName(name), { error: 'an interface name or *' });

function isStrictCidr(text: string): boolean {
  if (!text.includes('/')) return false;
  const prefix = parsePrefixText(text);
  return prefix !== undefined && isMasked(prefix);
}

function isHostNet(text: string): boolean {
  const prefix = parsePrefixText(text);
  return prefix !== undefined && prefix.length === prefix.words.length * 32;
}

// Objects that were refused, as findings with their codes. Two frequent slips have rules of their own.
import type { DataplaneError } from '../../../base/errors.ts';
import type { RuleId } from '../catalogue.ts';
import { LINT_RULES } from '../catalogue.ts';
import type { LintContext } from '../context.ts';
import type { Finding } from '../finding.ts';
import { fixFor, networkOf } from './networks.ts';

export function checkRefused({ errors }: LintContext): Finding[] {
  return errors.map((error) => {
    const rule = ruleOf(error);
    const { field, hint = hintFor(error), code, target, file = '', line = 0 } = error;
    const { severity } = LINT_RULES[rule];
    const location = { file, line };
    return { rule, severity, message: whatOf(error), object: target, field, location, related: [], hint, code };
  });
}

function ruleOf(error: DataplaneError): RuleId {
  if (hostBits(error) !== undefined) return 'cidr-with-host-bits';
  return error.code === 'INVALID_RULE' && error.message.includes('both IPv4 and IPv6 CIDRs')
    ? 'net-in-two-families'
    : 'refused-object';
}

function hintFor(error: DataplaneError): string | undefined {
  const bits = hostBits(error);
  return bits === undefined ? undefined : fixFor(bits.text, bits.network);
}

/** A refused network of a rule that is one but for its host bits. */
function hostBits({ code, field, found }: DataplaneError): { text: string; network: string } | undefined {
  if (code !== 'INVALID_FIELD' || found === undefined || !/\.(?:nets|notNets)\[\d+\]$/.test(field ?? ''))
    return undefined;
  const text = found.replaceAll('"', '');
  const network = networkOf(text);
  return network === undefined ? undefined : { text, network };
}

/** The error's message without what the finding says in fields of its own. */
function whatOf(error: DataplaneError): string {
  const { file, line, operation, target, field, hint } = error;
  const place = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}: `;
  const start = `${place}${operation} ${target}: ${field === undefined ? '' : `${field}: `}`;
  const end = hint === undefined ? '' : ` (${hint})`;
  const { message } = error;
  const body = message.startsWith(start) ? message.slice(start.length) : message;
  return body.endsWith(end) ? body.slice(0, body.length - end.length) : body;
}

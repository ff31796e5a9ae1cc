// Rules of Calico policies whose fields contradict each other. Messages are Calico's, so that searching for one finds
// its documentation. Single fields are checked by schemas/rule.ts.
import { parsePrefixText } from '../base/ip-text.ts';
import type { FieldPath } from './field-path.ts';
import { parsePort } from './ports.ts';
import { PORT_PROTOCOL_NAMES, protocolNumber, supportsPorts } from './protocols.ts';
import { quoteValue, type Report } from './report.ts';
import type { EntitySpec, HttpSpec, RuleSpec } from './schemas/rule.ts';
import { checkAnnotations } from './validate-metadata.ts';

export interface RuleContext {
  readonly direction: 'ingress' | 'egress';
  /** Of the policy; services of cluster-wide policies must name theirs. */
  readonly isNamespaced: boolean;
}

interface RuleCheck extends RuleContext {
  readonly rule: RuleSpec;
  readonly path: FieldPath;
  readonly refuse: (path: FieldPath, what: string, found?: unknown, expected?: string) => void;
}

const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;
/** Calico's messages do not know the last of them. */
const PORT_PROTOCOLS_EXPECTED = PORT_PROTOCOL_NAMES.join(', ');
const SIDES = ['source', 'destination'] as const;
const CATCH_ALL = new Set(['0.0.0.0/0', '::/0']);

/** Reports every contradiction of every rule; `path` is that of the list. */
export function checkRules(rules: readonly RuleSpec[], path: FieldPath, context: RuleContext, report: Report): void {
  for (const [index, rule] of rules.entries()) {
    const refuse: RuleCheck['refuse'] = (field, what, found, expected) =>
      report(field, what, {
        code: 'INVALID_RULE',
        found: found === undefined ? undefined : quoteValue(found),
        expected,
      });
    checkAnnotations(rule.metadata?.annotations ?? {}, [...path, index, 'metadata', 'annotations'], report);
    checkRule({ ...context, rule, path: [...path, index], refuse });
  }
}

function checkRule(check: RuleCheck): void {
  if (check.rule.http !== undefined) checkHttp(check, check.rule.http);
  for (const side of SIDES) {
    const entity = check.rule[side];
    if (entity === undefined) continue;
    checkServices(check, entity, side);
    checkPorts(check, entity, side);
    checkCatchAll(check, entity, side);
  }
  checkIcmp(check);
  checkIpVersion(check);
  checkFamilies(check);
}

function checkHttp({ rule, path, refuse, direction, isNamespaced }: RuleCheck, http: HttpSpec): void {
  const at = [...path, 'http'];
  if (rule.protocol !== undefined && protocolNumber(rule.protocol) !== TCP) {
    refuse(at, 'rules with HTTP match must have protocol TCP or unset', rule.protocol);
  }
  if (rule.action.toLowerCase() !== 'allow') refuse(at, 'HTTP match is only valid on Allow rules', rule.action);
  if (direction === 'egress') refuse(at, isNamespaced ? 'not allowed in egress rule' : 'not allowed in egress rules');
  for (const [index, item] of (http.paths ?? []).entries()) {
    const text = item.exact ?? item.prefix;
    const isOne = (item.exact === undefined) !== (item.prefix === undefined);
    if (isOne && text !== undefined && /^\/[^?#\s]*$/.test(text)) continue;
    refuse(
      [...at, 'paths', index],
      'a path must be one of exact or prefix, begin with / and have no ?, # or blank',
      item,
    );
  }
}

function checkServices(check: RuleCheck, entity: EntitySpec, side: (typeof SIDES)[number]): void {
  const { services } = entity;
  if (services === undefined) return;
  const { path, refuse, direction } = check;
  const at = [...path, side, 'services'];
  const isGiven = (...fields: readonly (keyof EntitySpec)[]): boolean => fields.some((field) => isSet(entity[field]));
  if (side === 'destination' && isGiven('ports', 'notPorts'))
    refuse(at, 'ports and notPorts cannot be specified with services');
  if (isGiven('namespaceSelector')) refuse(at, 'cannot specify NamespaceSelector and Services on the same rule');
  if (isGiven('serviceAccounts')) refuse(at, 'cannot specify ServiceAccounts and Services on the same rule');
  if (isGiven('selector', 'notSelector')) {
    refuse(at, 'cannot specify Selector/NotSelector and Services on the same rule');
  }
  if (isGiven('nets', 'notNets')) refuse(at, 'cannot specify Nets/NotNets and Services on the same rule');
  if (!isSet(services.name)) refuse(at, 'services must specify a service name');
  if (direction === 'egress' && side === 'source') refuse(at, 'not allowed in egress rule source');
  if (direction === 'ingress' && side === 'destination') refuse(at, 'not allowed in ingress rule destination');
  if (!check.isNamespaced && !isSet(services.namespace)) refuse(at, 'must specify a namespace');
}

function checkPorts({ rule, path, refuse }: RuleCheck, entity: EntitySpec, side: string): void {
  for (const list of ['ports', 'notPorts'] as const) {
    const ports = entity[list] ?? [];
    const at = [...path, side, list];
    const protocol = rule.protocol === undefined ? undefined : protocolNumber(rule.protocol);
    if (ports.length === 0 || supportsPorts(protocol)) continue;
    const number = ports.findIndex((port) => parsePort(port).kind === 'range');
    if (number !== -1) {
      const what = 'rules with numeric port or port range must set protocol to TCP or UDP or SCTP';
      refuse([...at, number], what, rule.protocol ?? 'no protocol', PORT_PROTOCOLS_EXPECTED);
    } else if (protocol !== undefined) {
      const what = 'rules that specify ports must set protocol to TCP or UDP or SCTP';
      refuse(at, what, rule.protocol, PORT_PROTOCOLS_EXPECTED);
    }
  }
}

function checkCatchAll({ path, refuse }: RuleCheck, entity: EntitySpec, side: string): void {
  for (const [index, net] of (entity.notNets ?? []).entries()) {
    if (!CATCH_ALL.has(net) && parsePrefixText(net)?.length !== 0) continue;
    const what = 'catch-all CIDR in negation creates logical contradiction (matches no traffic)';
    refuse([...path, side, 'notNets', index], what, net);
  }
}

function checkIcmp({ rule, path, refuse }: RuleCheck): void {
  const protocol = rule.protocol === undefined ? undefined : protocolNumber(rule.protocol);
  if (rule.icmp !== undefined && protocol !== ICMP && protocol !== ICMPV6) {
    refuse([...path, 'icmp'], 'ICMP fields require protocol to be ICMP or ICMPv6', rule.protocol ?? 'no protocol');
  }
  for (const field of ['icmp', 'notICMP'] as const) {
    const icmp = rule[field];
    if (icmp?.code === undefined || icmp.type !== undefined) continue;
    refuse([...path, field, 'code'], 'ICMP code specified without an ICMP type', icmp.code);
  }
}

function checkIpVersion({ rule, path, refuse }: RuleCheck): void {
  for (const field of ['protocol', 'notProtocol'] as const) {
    const value = rule[field];
    const protocol = value === undefined ? undefined : protocolNumber(value);
    const at = [...path, field];
    if (protocol === ICMP && rule.ipVersion === 6) refuse(at, 'protocol ICMP requires ipVersion 4', value);
    if (protocol === ICMPV6 && rule.ipVersion === 4) refuse(at, 'protocol ICMPv6 requires ipVersion 6', value);
  }
}

function checkFamilies({ rule, path, refuse }: RuleCheck): void {
  let first: string | undefined;
  for (const side of SIDES) {
    for (const list of ['nets', 'notNets'] as const) {
      for (const [index, net] of (rule[side]?.[list] ?? []).entries()) {
        const at = [...path, side, list, index];
        if (rule.ipVersion !== undefined && familyOf(net) !== rule.ipVersion) {
          refuse(at, "rule IP version doesn't match CIDR version", net);
          return;
        }
        first ??= net;
        if (familyOf(net) === familyOf(first)) continue;
        refuse(at, 'rule contains both IPv4 and IPv6 CIDRs', net);
        return;
      }
    }
  }
}

function familyOf(net: string): 4 | 6 {
  return net.includes(':') ? 6 : 4;
}

/** Empty text and empty lists say nothing. */
function isSet(value: EntitySpec[keyof EntitySpec] | string): boolean {
  if (value === undefined || value === '') return false;
  return !Array.isArray(value) || value.length > 0;
}

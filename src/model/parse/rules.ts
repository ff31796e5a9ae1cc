// Rules as users write them -> rules over addresses, ports and scoped selectors.
import type { FieldPath } from '../../resources/field-path.ts';
import { parsePort } from '../../resources/ports.ts';
import { impliedIpVersion, protocolNumber } from '../../resources/protocols.ts';
import type { EntitySpec, RuleSpec } from '../../resources/schemas/rule.ts';
import { type Cidr, parseCidr } from '../address.ts';
import type { EntityMatch, IcmpMatch, PortMatch, Rule, RuleAction, ServiceReference } from '../policy.ts';
import type { Selector } from '../selector/ast.ts';
import { scopeEntity, usesGlobal } from '../selector/scope.ts';
import { locationOf } from './deferred.ts';
import type { ParseContext } from './result.ts';

export const ANY_ENTITY: EntityMatch = Object.freeze({ nets: [], notNets: [], ports: [], notPorts: [] });

/** The rules of one direction. `path` is that of the list. */
export function parseRules(rules: readonly RuleSpec[] | undefined, path: FieldPath, context: ParseContext): Rule[] {
  return (rules ?? []).map((rule, index) => parseRule(rule, [...path, index], context));
}

function parseRule(rule: RuleSpec, path: FieldPath, context: ParseContext): Rule {
  if (rule.http !== undefined) {
    const hint = 'remove the http clause, or enforce it with a proxy';
    context.refuse('NEEDS_LAYER7', [...path, 'http'], 'needs layer 7', { hint });
  }
  return {
    action: rule.action.toLowerCase() as RuleAction,
    ipVersion: rule.ipVersion ?? impliedIpVersion(rule.protocol),
    protocol: rule.protocol === undefined ? undefined : protocolNumber(rule.protocol),
    notProtocol: rule.notProtocol === undefined ? undefined : protocolNumber(rule.notProtocol),
    icmp: parseIcmp(rule.icmp),
    notIcmp: parseIcmp(rule.notICMP),
    source: parseEntity(rule.source, [...path, 'source'], context),
    destination: parseEntity(rule.destination, [...path, 'destination'], context),
    location: locationOf(context.resource, path),
  };
}

function parseIcmp(icmp: RuleSpec['icmp']): IcmpMatch | undefined {
  return icmp?.type === undefined ? undefined : { type: icmp.type, code: icmp.code };
}

function parseEntity(entity: EntitySpec | undefined, path: FieldPath, context: ParseContext): EntityMatch {
  if (entity === undefined) return ANY_ENTITY;
  return {
    nets: parseNets(entity.nets),
    notNets: parseNets(entity.notNets),
    ...parseSelectors(entity, path, context),
    ports: parsePorts(entity.ports),
    notPorts: parsePorts(entity.notPorts),
    service: parseService(entity.services, context.resource.namespace),
  };
}

function parseSelectors(
  entity: EntitySpec,
  path: FieldPath,
  context: ParseContext,
): { selector?: Selector; notSelector?: Selector } {
  const { serviceAccounts } = entity;
  return scopeEntity({
    namespace: context.resource.namespace,
    selector: selectorWithoutGlobal(entity.selector, [...path, 'selector'], context),
    notSelector: selectorWithoutGlobal(entity.notSelector, [...path, 'notSelector'], context),
    namespaceSelector: entityNamespaceSelector(entity.namespaceSelector, [...path, 'namespaceSelector'], context),
    serviceAccounts:
      serviceAccounts === undefined
        ? undefined
        : {
            names: serviceAccounts.names ?? [],
            selector: selectorWithoutGlobal(
              serviceAccounts.selector,
              [...path, 'serviceAccounts', 'selector'],
              context,
            ),
          },
  });
}

/** A selector of any field but an entity's namespaceSelector. */
export function selectorWithoutGlobal(
  text: string | undefined,
  path: FieldPath,
  context: ParseContext,
): Selector | undefined {
  const selector = context.selector(text, path);
  if (selector === undefined || !usesGlobal(selector)) return selector;
  const what = 'global() can only be used in an EntityRule namespaceSelector';
  context.refuse('INVALID_SELECTOR', path, what, { found: text });
  return undefined;
}

function entityNamespaceSelector(
  text: string | undefined,
  path: FieldPath,
  context: ParseContext,
): Selector | undefined {
  const selector = context.selector(text, path);
  if (selector === undefined || selector.kind === 'global' || !usesGlobal(selector)) return selector;
  context.refuse('INVALID_SELECTOR', path, 'global() cannot be combined with other selectors', { found: text });
  return undefined;
}

/** Their syntax was checked with the document. */
export function parseNets(nets: readonly string[] | undefined): Cidr[] {
  return (nets ?? []).map((text) => parseCidr(text)).filter((cidr) => cidr !== undefined);
}

function parsePorts(ports: EntitySpec['ports']): PortMatch[] {
  return (ports ?? []).map(parsePort).filter((port) => port.kind !== 'invalid');
}

/** Upstream's code looks for a service without namespace in no namespace; its documentation promises the policy's. */
function parseService(services: EntitySpec['services'], namespace: string | undefined): ServiceReference | undefined {
  if (services?.name === undefined) return undefined;
  const given = services.namespace ?? '';
  return { namespace: given === '' ? (namespace ?? '') : given, name: services.name };
}

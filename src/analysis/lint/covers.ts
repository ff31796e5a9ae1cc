// Whether one rule matches every packet that another does, whoever may live in the cluster: each condition of the first
// is implied by the second's. For policies that govern nothing yet; "no" may also mean "not by structure".
import { type Cidr, containsCidr, type Family } from '../../model/address.ts';
import type { EntityMatch, PortMatch, Rule } from '../../model/policy.ts';
import { complement, type IntervalSet, intersect, unionOf } from '../../tables/interval-sets.ts';
import { portSet, protocolConditions } from '../../tables/l4-space.ts';
import { L4_ENTRIES } from '../../tables/layout.ts';
import { implies, isImpossible } from './implies.ts';

const FAMILIES: readonly Family[] = [4, 6];

/** Whether every packet that `narrow` matches is matched by `wide`. */
export function covers(wide: Rule, narrow: Rule): boolean {
  return (
    FAMILIES.every((family) => !concernsFamily(narrow, family) || concernsFamily(wide, family)) &&
    coversLayer4(wide, narrow) &&
    coversSourcePorts(wide.source, narrow.source) &&
    coversSide(wide.source, narrow.source) &&
    coversSide(wide.destination, narrow.destination)
  );
}

/** Why no packet can match the rule, whoever may live in the cluster; undefined = some may. */
export function contradiction(rule: Rule): string | undefined {
  const hasLayer4 =
    baseOf(rule).length > 0 && (layer4Of(rule).length > 0 || namesOf(rule.destination.ports).length > 0);
  if (!hasLayer4) return 'its protocol and port conditions exclude each other';
  if (!FAMILIES.some((family) => concernsFamily(rule, family))) return 'its conditions ask for both address families';
  for (const side of ['source', 'destination'] as const) {
    const { nets, notNets, selector } = rule[side];
    if (nets.length > 0 && nets.every((net) => notNets.some((not) => containsCidr(not, net)))) {
      return `every network in ${side}.nets is excluded by ${side}.notNets`;
    }
    if (selector !== undefined && isImpossible(selector)) return `no labels can satisfy the ${side} selector`;
  }
  return undefined;
}

/** Whether packets of the family can match: a network list speaks of its own families only. */
export function concernsFamily({ ipVersion, source, destination }: Rule, family: Family): boolean {
  if (ipVersion !== undefined && ipVersion !== family) return false;
  const lists = [source.nets, source.notNets, destination.nets, destination.notNets];
  return lists.every((nets) => nets.length === 0 || nets.some((net) => net.family === family));
}

function coversLayer4(wide: Rule, narrow: Rule): boolean {
  // Who holds an excluded name depends on all owners of the address, not only on those that the rule selects.
  if (namesOf(wide.destination.notPorts).length > 0) return false;
  const narrowNames = namesOf(narrow.destination.ports);
  if (!includes(layer4Of(wide), layer4Of(narrow))) return false;
  if (narrowNames.length === 0) return true;
  if (!includes(baseOf(wide), baseOf(narrow))) return false;
  if (wide.destination.ports.length === 0) return true;
  // A name stands for the ports of the endpoints that the same side selects.
  const isSameSelection = coversSelection(wide.destination, narrow.destination);
  return isSameSelection && narrowNames.every((name) => namesOf(wide.destination.ports).includes(name));
}

/** Source ports are compared as they are written. */
function coversSourcePorts(wide: EntityMatch, narrow: EntityMatch): boolean {
  const rangesOf = (ports: readonly PortMatch[]): IntervalSet =>
    unionOf(ports.flatMap((port) => (port.kind === 'range' ? [[port.first, port.last] as const] : [])));
  if (wide.ports.length > 0) {
    if (narrow.ports.length === 0 || !includes(rangesOf(wide.ports), rangesOf(narrow.ports))) return false;
    const names = namesOf(narrow.ports);
    if (names.some((name) => !namesOf(wide.ports).includes(name))) return false;
    if (names.length > 0 && !coversSelection(wide, narrow)) return false;
  }
  if (wide.notPorts.length === 0) return true;
  if (namesOf(wide.notPorts).length > 0) return false;
  return includes(rangesOf(narrow.notPorts), rangesOf(wide.notPorts));
}

function coversSide(wide: EntityMatch, narrow: EntityMatch): boolean {
  return (
    (wide.nets.length === 0 || (narrow.nets.length > 0 && isWithin(narrow.nets, wide.nets))) &&
    coversExcludedNets(wide.notNets, narrow) &&
    coversSelection(wide, narrow) &&
    (wide.notSelector === undefined ||
      (narrow.notSelector !== undefined && implies(wide.notSelector, narrow.notSelector))) &&
    (wide.service === undefined ||
      (wide.service.name === narrow.service?.name && wide.service.namespace === narrow.service.namespace))
  );
}

function coversSelection(wide: EntityMatch, narrow: EntityMatch): boolean {
  if (wide.selector === undefined) return true;
  return narrow.selector !== undefined && implies(narrow.selector, wide.selector);
}

/** What the wide rule excludes, the narrow one excludes too, or never meant. */
function coversExcludedNets(excluded: readonly Cidr[], narrow: EntityMatch): boolean {
  return excluded.every(
    (net) =>
      isWithin([net], narrow.notNets) ||
      (narrow.nets.length > 0 && narrow.nets.every((own) => !containsCidr(net, own) && !containsCidr(own, net))),
  );
}

function isWithin(inner: readonly Cidr[], outer: readonly Cidr[]): boolean {
  return inner.every((net) => outer.some((other) => containsCidr(other, net)));
}

/** Protocols and ICMP, without numeric ports that are excluded. */
function baseOf(rule: Rule): IntervalSet {
  const excluded = portSet(rule.destination.notPorts.filter((port) => port.kind === 'range'));
  return intersect(protocolConditions(rule), complement(excluded, L4_ENTRIES));
}

/** What numeric ports leave of it. */
function layer4Of(rule: Rule): IntervalSet {
  const { ports } = rule.destination;
  if (ports.length === 0) return baseOf(rule);
  return intersect(baseOf(rule), portSet(ports.filter((port) => port.kind === 'range')));
}

function namesOf(ports: readonly PortMatch[]): string[] {
  return ports.flatMap((port) => (port.kind === 'named' ? [port.name] : []));
}

function includes(outer: IntervalSet, inner: IntervalSet): boolean {
  return intersect(inner, complement(outer, Number.MAX_SAFE_INTEGER)).length === 0;
}

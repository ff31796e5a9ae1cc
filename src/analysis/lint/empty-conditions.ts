// Why no packet meets a rule: the first of its conditions that is empty by itself, or that no governed endpoint meets.
import { containsAddress, formatCidr } from '../../model/address.ts';
import type { WorkloadEndpoint } from '../../model/endpoint.ts';
import { protocolName } from '../../model/flow.ts';
import type { EntityMatch, Rule } from '../../model/policy.ts';
import { nearestName } from '../../resources/nearest.ts';
import { describeSelector } from '../describe-selector.ts';
import { type Inventory, itemKey, type Member } from '../inventory.ts';
import type { RuleSubject } from './context.ts';
import { contradiction } from './covers.ts';
import { describeMiss, type NearMisses } from './near-misses.ts';

export interface EmptyCondition {
  /** Completes "matches nothing: ". */
  readonly reason: string;
  /** Path inside a Calico rule; undefined = the rule as a whole. */
  readonly field?: readonly string[];
  readonly hint?: string;
}

interface Search {
  readonly inventory: Inventory;
  readonly nearMisses: NearMisses;
  readonly rule: Rule;
  /** Endpoints with an address that the rule's owner governs. */
  readonly governed: readonly WorkloadEndpoint[];
}

/** For a rule that is known to match nothing. */
export function findEmptyCondition(
  { rule, direction }: RuleSubject,
  governed: readonly WorkloadEndpoint[],
  inventory: Inventory,
  nearMisses: NearMisses,
): EmptyCondition {
  const reason = contradiction(rule);
  if (reason !== undefined) return { reason };
  const search: Search = { inventory, nearMisses, rule, governed };
  const own = direction === 'ingress' ? 'destination' : 'source';
  const peer = direction === 'ingress' ? 'source' : 'destination';
  return (
    emptyPeer(search, peer) ??
    emptyOwn(search, own) ?? { reason: 'each of its conditions can hold, but never all together' }
  );
}

function emptyPeer(search: Search, side: 'source' | 'destination'): EmptyCondition | undefined {
  const { inventory, rule } = search;
  const entity = rule[side];
  const everyone =
    entity.selector === undefined ? [...inventory.members.values()] : inventory.selected(entity.selector);
  return (
    emptySelection(search, entity, everyone, side) ??
    emptyService(search, entity, side) ??
    emptyNames(search, entity, everyone, side, 'endpoint')
  );
}

function emptyOwn(search: Search, side: 'source' | 'destination'): EmptyCondition | undefined {
  const { inventory, rule, governed } = search;
  const entity = rule[side];
  const keys = new Set(governed.map(itemKey));
  const selected = entity.selector === undefined ? undefined : inventory.selected(entity.selector);
  const own = (selected ?? [...inventory.members.values()]).filter(({ key }) => keys.has(key));
  if (selected !== undefined && own.length === 0) {
    const reason = `${side} selector matches none of the governed endpoints`;
    return { reason, field: [side, 'selector'], hint: missHint(search, entity) };
  }
  const isInNets = ({ addresses }: WorkloadEndpoint): boolean =>
    addresses.some((address) => entity.nets.some((net) => containsAddress(net, address)));
  if (entity.nets.length > 0 && !governed.some(isInNets)) {
    const nets = entity.nets.map(formatCidr).join(', ');
    return { reason: `no governed endpoint has an address in ${nets}`, field: [side, 'nets'] };
  }
  return emptyNames(search, entity, own, side, 'governed endpoint');
}

function emptySelection(
  search: Search,
  entity: EntityMatch,
  selected: readonly Member[],
  side: string,
): EmptyCondition | undefined {
  if (entity.selector === undefined) return undefined;
  const who = `endpoint or network set ${describeSelector(entity.selector)}`.trimEnd();
  if (selected.length === 0) {
    return { reason: `there is no ${who}`, field: [side, 'selector'], hint: missHint(search, entity) };
  }
  const hasAddress = selected.some(({ object }) =>
    object.type === 'networkSet' ? object.nets.length > 0 : object.addresses.length > 0,
  );
  return hasAddress ? undefined : { reason: `no ${who} has an address`, field: [side, 'selector'] };
}

function emptyService({ inventory }: Search, { service }: EntityMatch, side: string): EmptyCondition | undefined {
  if (service === undefined) return undefined;
  const name = `${service.namespace}/${service.name}`;
  const slices = inventory.slicesOf(service);
  const field = [side, 'services'];
  if (slices.length === 0) {
    const nearest = nearestName(name, inventory.serviceNames());
    const hint = nearest === undefined ? undefined : `did you mean ${nearest}?`;
    return { reason: `service ${name} has no EndpointSlice`, field, hint };
  }
  if (slices.every(({ addresses }) => addresses.length === 0))
    return { reason: `service ${name} has no backend`, field };
  return undefined;
}

function emptyNames(
  { inventory, rule }: Search,
  { ports }: EntityMatch,
  members: readonly Member[],
  side: string,
  noun: string,
): EmptyCondition | undefined {
  const names = ports.flatMap((port) => (port.kind === 'named' ? [port.name] : []));
  if (names.length === 0 || names.length < ports.length) return undefined;
  if (names.some((name) => inventory.holders(members, name, rule.protocol).length > 0)) return undefined;
  const known = new Set(
    members.flatMap(({ object }) => (object.type === 'networkSet' ? [] : object.ports.map(({ name }) => name))),
  );
  const nearest = names.map((name) => nearestName(name, known)).find((name) => name !== undefined);
  const quoted = names.map((name) => JSON.stringify(name)).join(' or ');
  const protocol = rule.protocol === undefined ? '' : ` for ${protocolName(rule.protocol)}`;
  const isOtherProtocol = nearest !== undefined && names.includes(nearest);
  const hint = isOtherProtocol
    ? `${JSON.stringify(nearest)} is defined for another protocol`
    : nearest === undefined
      ? undefined
      : `did you mean ${JSON.stringify(nearest)}?`;
  return {
    reason: `no ${noun} of those it means defines a port named ${quoted}${protocol}`,
    field: [side, 'ports'],
    hint,
  };
}

function missHint({ nearMisses }: Search, { selector }: EntityMatch): string | undefined {
  const misses = selector === undefined ? [] : nearMisses.in(selector);
  return misses.length === 0 ? undefined : misses.map(describeMiss).join('; ');
}

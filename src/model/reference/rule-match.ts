// Does a rule match a flow? Part of the reference evaluator: every condition spelled out, nothing indexed or shared
// with calc and tables, so that they can be checked against it.
import { containsAddress, type Family, type IpAddress } from '../address.ts';
import { type Flow, isIcmp } from '../flow.ts';
import type { EntityMatch, IcmpMatch, PortMatch, Rule } from '../policy.ts';
import type { Membership } from './membership.ts';

/** Whether every condition of the rule holds for the flow. */
export function ruleMatches(rule: Rule, flow: Flow, membership: Membership): boolean {
  return (
    familyMatches(rule, flow.source.family) &&
    (rule.protocol === undefined || rule.protocol === flow.protocol) &&
    (rule.notProtocol === undefined || rule.notProtocol !== flow.protocol) &&
    (rule.icmp === undefined || icmpMatches(rule.icmp, flow)) &&
    (rule.notIcmp === undefined || !icmpMatches(rule.notIcmp, flow)) &&
    entityMatches(rule.source, flow.source, flow.sourcePort, flow, membership) &&
    entityMatches(rule.destination, flow.destination, flow.destinationPort, flow, membership) &&
    servicesMatch(rule, flow, membership)
  );
}

/** A rule with CIDRs of the other family only says nothing about this one. */
function familyMatches(rule: Rule, family: Family): boolean {
  if (rule.ipVersion !== undefined && rule.ipVersion !== family) return false;
  const lists = [rule.source.nets, rule.source.notNets, rule.destination.nets, rule.destination.notNets];
  return lists.every((nets) => nets.length === 0 || nets.some((net) => net.family === family));
}

function icmpMatches(icmp: IcmpMatch, flow: Flow): boolean {
  if (!isIcmp(flow.protocol) || icmp.type !== flow.icmpType) return false;
  return icmp.code === undefined || icmp.code === flow.icmpCode;
}

function entityMatches(
  entity: EntityMatch,
  address: IpAddress,
  port: number,
  flow: Flow,
  membership: Membership,
): boolean {
  const { nets, notNets, selector, notSelector, ports, notPorts } = entity;
  if (nets.length > 0 && !nets.some((net) => containsAddress(net, address))) return false;
  if (notNets.some((net) => containsAddress(net, address))) return false;
  if (selector !== undefined && !membership.isSelected(address, selector)) return false;
  if (notSelector !== undefined && membership.isSelected(address, notSelector)) return false;
  const portMatches = (match: PortMatch): boolean =>
    match.kind === 'range'
      ? match.first <= port && port <= match.last
      : membership.hasNamedPort(address, selector, match.name, flow.protocol, port);
  if (ports.length > 0 && !ports.some(portMatches)) return false;
  return !notPorts.some(portMatches);
}

/** As a destination a service is its backends' addresses with their ports; as a source the addresses alone. */
function servicesMatch(rule: Rule, flow: Flow, membership: Membership): boolean {
  const { source, destination } = rule;
  if (source.service !== undefined && !membership.isBackend(flow.source, source.service)) return false;
  if (destination.service === undefined) return true;
  return membership.isBackendPort(flow.destination, destination.service, flow.protocol, flow.destinationPort);
}

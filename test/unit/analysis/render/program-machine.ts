// An abstract filter program as a machine.

import type {
  FilterProgram,
  FilterRule,
  Match,
  TupleField,
  TupleValue,
} from '../../../../src/analysis/render/program.ts';
import { containsAddress, formatCidr, hostCidr } from '../../../../src/model/address.ts';
import { hasPorts, isIcmp } from '../../../../src/model/flow.ts';
import type { MachineChains, MachinePacket, MachineRule, Step } from './rule-machine.ts';

export const ENTRY = '(forward)';

export function programMachine({ forward, chains }: FilterProgram): MachineChains {
  const all = new Map<string, readonly MachineRule[]>([[ENTRY, forward.map(machineRule)]]);
  for (const { name, rules } of chains) all.set(name, rules.map(machineRule));
  return all;
}

function machineRule({ matches, action }: FilterRule): MachineRule {
  return {
    step: (packet): Step | undefined => {
      if (!matches.every((match) => matchesPacket(match, packet))) return undefined;
      if (action.kind !== 'dispatch') return action;
      const entry = action.chains.get(formatCidr(hostCidr(packet[action.side])));
      return entry === undefined ? undefined : { kind: action.by, chain: entry.chain };
    },
  };
}

function matchesPacket(match: Match, packet: MachinePacket): boolean {
  switch (match.kind) {
    case 'protocol':
      return match.protocols.includes(packet.protocol) !== match.isNegated;
    case 'address':
      return match.prefixes.some((cidr) => containsAddress(cidr, packet[match.side])) !== match.isNegated;
    case 'ports': {
      if (!hasPorts(packet.protocol)) throw new Error('ports of a packet that has none');
      const port = packet[`${match.side}Port`];
      return match.ranges.some(({ first, last }) => first <= port && port <= last) !== match.isNegated;
    }
    case 'icmp': {
      if (!isIcmp(packet.protocol)) throw new Error('ICMP type of a packet that has none');
      const { type, code } = match;
      return (type === packet.icmpType && (code === undefined || code === packet.icmpCode)) !== match.isNegated;
    }
    case 'tuples':
      return (
        match.tuples.some((tuple) => match.fields.every((field, index) => holds(field, tuple[index], packet))) !==
        match.isNegated
      );
    case 'marked':
      return packet.isMarked;
    case 'established':
      return false;
  }
}

function holds(field: TupleField, value: TupleValue | undefined, packet: MachinePacket): boolean {
  if (value?.kind === 'prefix' && (field === 'source' || field === 'destination'))
    return containsAddress(value.cidr, packet[field]);
  if (value?.kind === 'protocol' && field === 'protocol') return value.protocol === packet.protocol;
  if (value?.kind !== 'ports' || (field !== 'sourcePort' && field !== 'destinationPort'))
    throw new Error('a field of another kind');
  return value.range.first <= packet[field] && packet[field] <= value.range.last;
}

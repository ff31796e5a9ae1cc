// A rule set before it is text: chains of rules over one address family, for the forwarding hook of a packet filter.
// Printers spell these; nothing here knows policies.
import type { PortRange } from '../../calc/resolved.ts';
import type { Cidr, Family } from '../../model/address.ts';

export type Side = 'source' | 'destination';
export const SIDES: readonly Side[] = ['source', 'destination'];

/** What a tuple is made of, in this order. */
export type TupleField = 'source' | 'destination' | 'protocol' | 'sourcePort' | 'destinationPort';

/** Each value is of its field's kind. */
export type TupleValue =
  | { readonly kind: 'prefix'; readonly cidr: Cidr }
  | { readonly kind: 'protocol'; readonly protocol: number }
  | { readonly kind: 'ports'; readonly range: PortRange };

export type Tuple = readonly TupleValue[];

/** A condition on a packet. Where ports are compared, the rule has fixed a protocol that has them. */
export type Match =
  | { readonly kind: 'protocol'; readonly protocols: readonly number[]; readonly isNegated: boolean }
  | {
      readonly kind: 'address';
      readonly side: Side;
      /** At least one; disjoint. */
      readonly prefixes: readonly Cidr[];
      readonly isNegated: boolean;
    }
  | {
      readonly kind: 'ports';
      readonly side: Side;
      /** At least one; disjoint. */
      readonly ranges: readonly PortRange[];
      readonly isNegated: boolean;
    }
  | { readonly kind: 'icmp'; readonly type: number; readonly code?: number; readonly isNegated: boolean }
  | {
      readonly kind: 'tuples';
      readonly fields: readonly TupleField[];
      /** At least one; disjoint. */
      readonly tuples: readonly Tuple[];
      readonly isNegated: boolean;
    }
  /** The mark of an allowed egress, which rules of nested chains set. */
  | { readonly kind: 'marked' }
  /** Packets of known connections, and errors about them. */
  | { readonly kind: 'established' };

export type Action =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  /** A chain that is jumped to comes back where it ends; one that is gone to comes back where its caller would. */
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  /** Goes on with the next rule. */
  | { readonly kind: 'log'; readonly prefix: string }
  /** Goes on with the next rule. */
  | { readonly kind: 'mark'; readonly isSet: boolean }
  /** By an address, the chain to jump or go to; any other address goes on with the next rule. */
  | { readonly kind: 'dispatch'; readonly side: Side; readonly by: 'jump' | 'goto'; readonly chains: DispatchTable };

export type DispatchTable = ReadonlyMap<string, { readonly address: Cidr; readonly chain: string }>;

export interface FilterRule {
  /** All must hold. */
  readonly matches: readonly Match[];
  readonly action: Action;
  /** Printed above the rule. */
  readonly comment?: string;
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly FilterRule[];
  readonly comment?: string;
}

/** What a packet of the family meets. A packet that falls off the end of an entry is not judged: it passes. */
export interface FilterProgram {
  readonly family: Family;
  /** At the hook for packets that pass through. */
  readonly forward: readonly FilterRule[];
  /** At the hook for packets to the host itself. */
  readonly input: readonly FilterRule[];
  /** In an order in which each is defined before it is used. */
  readonly chains: readonly Chain[];
}

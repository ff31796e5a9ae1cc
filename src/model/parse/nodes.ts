// Node -> what host endpoints are made of, as Calico reads nodes: addresses and interfaces that its node agent has noted in
// annotations, and the addresses that are internal. Policy of their own nodes have none.
import { parsePrefixText } from '../../base/ip-text.ts';
import { isInterfaceName } from '../../resources/names.ts';
import { quoteValue } from '../../resources/report.ts';
import type { ResourceOf } from '../../resources/resource.ts';
import { type IpAddress, parseAddress } from '../address.ts';
import { distinctAddresses, type NodeFacts } from '../host-endpoint-source.ts';
import { ParseContext, type ParseResult } from './result.ts';

type Node = ResourceOf<'Node'>;

/** In the order in which Calico lists them. */
const ADDRESS_ANNOTATIONS = [
  'projectcalico.org/IPv4Address',
  'projectcalico.org/IPv6Address',
  'projectcalico.org/IPv4IPIPTunnelAddr',
  'projectcalico.org/IPv4VXLANTunnelAddr',
  'projectcalico.org/IPv6VXLANTunnelAddr',
  'projectcalico.org/IPv4WireguardInterfaceAddr',
  'projectcalico.org/IPv6WireguardInterfaceAddr',
];
const INTERFACES = 'projectcalico.org/Interfaces';
/** Nodes write their own annotations, and every agent makes endpoints of them. */
const MAX_INTERFACES = 4096;

interface NotedInterface {
  readonly name: string;
  readonly addresses?: readonly string[] | null;
}

export function parseNode(resource: Node): ParseResult {
  const { name, metadata, spec, location } = resource;
  const context = new ParseContext(resource);
  const interfaces = interfacesOf(resource, context);
  if (context.errors.length > 0) return context.result();
  const { annotations } = metadata;
  const internal = (spec.status.addresses ?? []).filter(({ type }) => type === 'InternalIP');
  const written = [...ADDRESS_ANNOTATIONS.map((key) => annotations[key]), ...internal.map(({ address }) => address)];
  const found = interfaces.flatMap(({ addresses }) => addresses);
  const addresses = distinctAddresses([...known(written), ...found]);
  const source: NodeFacts = { kind: 'node', name, labels: metadata.labels, addresses, interfaces, location };
  return { ...context.result(), source };
}

/** Interfaces whose names no endpoint may have are left out. */
function interfacesOf({ metadata }: Node, context: ParseContext): NodeFacts['interfaces'] {
  const text = metadata.annotations[INTERFACES];
  if (text === undefined || text === '') return [];
  const list = readInterfaces(text);
  if (list === undefined) {
    const details = { found: quoteValue(text), expected: 'JSON such as [{"name":"eth0","addresses":["192.0.2.1"]}]' };
    context.refuse('INVALID_FIELD', ['metadata', 'annotations', INTERFACES], 'is no list of interfaces', details);
    return [];
  }
  if (list.length > MAX_INTERFACES) {
    const details = { found: `${list.length} interfaces`, expected: `at most ${MAX_INTERFACES}` };
    context.refuse('LIMIT_EXCEEDED', ['metadata', 'annotations', INTERFACES], 'has too many interfaces', details);
    return [];
  }
  return list
    .filter(({ name }) => isInterfaceName(name))
    .map(({ name, addresses }) => ({ name, addresses: known(addresses ?? []) }));
}

/** Bare or with a length; what is no address is left out. */
function known(texts: readonly (string | undefined)[]): IpAddress[] {
  return texts.flatMap((text) => {
    if (text === undefined || parsePrefixText(text) === undefined) return [];
    return parseAddress(text.split('/')[0] as string) ?? [];
  });
}

/** undefined = it is no such list. */
function readInterfaces(text: string): readonly NotedInterface[] | undefined {
  try {
    const list: unknown = JSON.parse(text) ?? [];
    return Array.isArray(list) && list.every(isNotedInterface) ? list : undefined;
  } catch {
    return undefined;
  }
}

function isNotedInterface(value: unknown): value is NotedInterface {
  if (typeof value !== 'object' || value === null || !('name' in value) || typeof value.name !== 'string') return false;
  const addresses = 'addresses' in value ? (value.addresses ?? []) : [];
  return Array.isArray(addresses) && addresses.every((address) => typeof address === 'string');
}

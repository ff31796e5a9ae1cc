// Rules of Calico policies, every field, valid by construction (cross-field rules of the API are respected here).
import fc from 'fast-check';
import {
  defined,
  ICMP_TYPES,
  maybe,
  NAMESPACES,
  namespaceSelector,
  PORT_NAMES,
  port,
  SERVICE_ACCOUNTS,
  SERVICES,
  selector,
  v4Cidr,
  v6Cidr,
} from './vocabulary.ts';

type Json = Record<string, unknown>;
type Family = 4 | 6 | undefined;

const PORT_PROTOCOLS = ['TCP', 'UDP', 'SCTP', 6, 17, 132] as const;

const numericPorts = fc.oneof(
  port,
  fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}:${Math.max(a, b)}`),
);

function ports(protocol: unknown): fc.Arbitrary<unknown[]> {
  const named = fc.constantFrom(...PORT_NAMES);
  const isNumericAllowed = (PORT_PROTOCOLS as readonly unknown[]).includes(protocol);
  return fc.array(isNumericAllowed ? fc.oneof(numericPorts, named) : named, { minLength: 1, maxLength: 3 });
}

function nets(family: Family, isNegated: boolean): fc.Arbitrary<string[]> {
  const cidr: fc.Arbitrary<string> = family === 6 ? v6Cidr : v4Cidr;
  const isAll = (text: string): boolean => text === '0.0.0.0/0' || text === '::/0';
  return fc.array(isNegated ? cidr.filter((text) => !isAll(text)) : cidr, { minLength: 1, maxLength: 3 });
}

interface EntityContext {
  readonly protocol: unknown;
  readonly family: Family;
  readonly service: 'none' | 'namespaced' | 'global';
}

function entity({ protocol, family, service }: EntityContext): fc.Arbitrary<Json> {
  const hasPorts = protocol === undefined || (PORT_PROTOCOLS as readonly unknown[]).includes(protocol);
  const never = fc.constant(undefined);
  const plain = fc
    .record({
      nets: maybe(nets(family, false), 2),
      notNets: maybe(nets(family, true), 1),
      selector: maybe(selector),
      notSelector: maybe(selector, 1),
      namespaceSelector: maybe(namespaceSelector, 1),
      serviceAccounts: maybe(serviceAccounts, 1),
      ports: hasPorts ? maybe(ports(protocol), 2) : never,
      notPorts: hasPorts ? maybe(ports(protocol), 1) : never,
    })
    .map(defined);
  if (service === 'none') return plain;
  const services = fc
    .tuple(fc.constantFrom(...SERVICES), fc.constantFrom(...NAMESPACES), fc.boolean())
    .map(([name, namespace, isExplicit]) => ({
      services: service === 'global' || isExplicit ? { name, namespace } : { name },
    }));
  return fc.oneof({ weight: 6, arbitrary: plain }, { weight: 1, arbitrary: services });
}

const serviceAccounts = fc
  .record({
    names: maybe(fc.uniqueArray(fc.constantFrom(...SERVICE_ACCOUNTS), { minLength: 1, maxLength: 2 })),
    selector: maybe(fc.constantFrom('role == "web"', 'has(env)', 'all()')),
  })
  .map(defined);

const icmp = fc
  .tuple(fc.constantFrom(...ICMP_TYPES), maybe(fc.constantFrom(0, 1, 255)))
  .map(([type, code]) => defined({ type, code }));

interface ProtocolPart {
  readonly part: Json;
  readonly family: Family;
}

/** Protocol conditions with the families that they allow. */
const protocolPart: fc.Arbitrary<ProtocolPart> = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ part: {}, family: undefined }) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(...PORT_PROTOCOLS).map((protocol) => ({ part: { protocol }, family: undefined })),
  },
  fc.constantFrom(2, 47, 255, 'UDPLite').map((protocol) => ({ part: { protocol }, family: undefined })),
  fc.constantFrom(...PORT_PROTOCOLS, 58, 1).map((notProtocol) => ({ part: { notProtocol }, family: undefined })),
  fc
    .tuple(fc.constantFrom<[unknown, Family]>(['ICMP', 4], [1, 4], ['ICMPv6', 6], [58, 6]), maybe(icmp), maybe(icmp, 1))
    .map(([[protocol, family], match, notMatch]) => ({
      part: defined({ protocol, icmp: match, notICMP: notMatch }),
      family,
    })),
  icmp.map((notICMP) => ({ part: { notICMP }, family: undefined })),
);

/** services say which kind of policy the rule is for; profiles have none. */
export function rule(direction: 'ingress' | 'egress', kind: 'namespaced' | 'global' | 'profile'): fc.Arbitrary<Json> {
  return fc
    .tuple(protocolPart, maybe(fc.constantFrom<4 | 6>(4, 6), 1), fc.constantFrom<4 | 6>(4, 6))
    .chain(([{ part, family }, ipVersion, netFamily]) => {
      const version = ipVersion !== undefined && (family ?? ipVersion) === ipVersion ? ipVersion : undefined;
      const forbidsV6 = part.protocol === 1 || part.notProtocol === 1;
      const forbidsV4 = part.protocol === 58 || part.notProtocol === 58;
      const allowed = (version === 6 && forbidsV6) || (version === 4 && forbidsV4) ? undefined : version;
      const context = { protocol: part.protocol, family: allowed ?? family ?? netFamily };
      const services = kind === 'profile' ? 'none' : kind;
      const actions = kind === 'profile' ? (['Allow', 'Deny'] as const) : (['Allow', 'Deny', 'Pass', 'Log'] as const);
      const isIngress = direction === 'ingress';
      return fc
        .record({
          action: fc.constantFrom(...actions),
          source: maybe(entity({ ...context, service: isIngress ? services : 'none' }), 5),
          destination: maybe(entity({ ...context, service: isIngress ? 'none' : services }), 5),
        })
        .map((made) => defined({ ...made, ...part, ipVersion: allowed }));
    });
}

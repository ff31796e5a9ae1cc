// Every combination of a rule's fields that Calico refuses, with the message it gives, and those that it allows.
import { describe, expect, it } from 'vitest';
import {
  describeRejections,
  egress,
  errorsOf,
  globalEgress,
  globalIngress,
  gnp,
  ingress,
  np,
  type Rejection,
} from './rejections.ts';

const toService = (rest: string): string => egress(`{action: Allow, destination: {services: {name: s}, ${rest}}}`);
const fromService = (rest: string): string => ingress(`{action: Allow, source: {services: {name: s}, ${rest}}}`);

const RULE = 'INVALID_RULE';
const IN = 'spec.ingress[0]';
const OUT = 'spec.egress[0]';
const NUMERIC = 'rules with numeric port or port range must set protocol to TCP or UDP or SCTP';
const PORTS = 'rules that specify ports must set protocol to TCP or UDP or SCTP';
const ICMP_PROTOCOL = 'ICMP fields require protocol to be ICMP or ICMPv6';
const ICMP_TYPE = 'ICMP code specified without an ICMP type';
const BOTH_FAMILIES = 'rule contains both IPv4 and IPv6 CIDRs';
const VERSION = "rule IP version doesn't match CIDR version";
const CATCH_ALL = 'catch-all CIDR in negation creates logical contradiction (matches no traffic)';
const GLOBAL = 'global() can only be used in an EntityRule namespaceSelector';
const GLOBAL_ALONE = 'global() cannot be combined with other selectors';
const HTTP_PROTOCOL = 'rules with HTTP match must have protocol TCP or unset';
const HTTP_ACTION = 'HTTP match is only valid on Allow rules';
const SELECTORS = 'cannot specify Selector/NotSelector and Services on the same rule';
const NETS = 'cannot specify Nets/NotNets and Services on the same rule';

const http: readonly Rejection[] = [
  [ingress('{action: Allow, protocol: UDP, http: {methods: [GET]}}'), RULE, `${IN}.http`, HTTP_PROTOCOL],
  [ingress('{action: Allow, protocol: 17, http: {methods: [GET]}}'), RULE, `${IN}.http`, HTTP_PROTOCOL],
  [ingress('{action: Deny, http: {methods: [GET]}}'), RULE, `${IN}.http`, HTTP_ACTION],
  [ingress('{action: Log, http: {methods: [GET]}}'), RULE, `${IN}.http`, HTTP_ACTION],
  [egress('{action: Allow, http: {methods: [GET]}}'), RULE, `${OUT}.http`, 'not allowed in egress rule'],
  [globalEgress('{action: Allow, http: {}}'), RULE, `${OUT}.http`, 'not allowed in egress rules'],
  [
    ingress('{action: Allow, http: {paths: [{exact: /a, prefix: /b}]}}'),
    RULE,
    `${IN}.http.paths[0]`,
    'exact or prefix',
  ],
  [ingress('{action: Allow, http: {paths: [{prefix: /a}, {}]}}'), RULE, `${IN}.http.paths[1]`, 'exact or prefix'],
  [ingress('{action: Allow, http: {paths: [{exact: a}]}}'), RULE, `${IN}.http.paths[0]`, 'begin with /'],
  [ingress('{action: Allow, http: {paths: [{exact: "/a?b"}]}}'), RULE, `${IN}.http.paths[0]`, 'no ?, # or blank'],
  [ingress('{action: Allow, http: {paths: [{exact: "/a#b"}]}}'), RULE, `${IN}.http.paths[0]`, 'no ?, # or blank'],
  [ingress('{action: Allow, http: {paths: [{exact: "/a b"}]}}'), RULE, `${IN}.http.paths[0]`, 'no ?, # or blank'],
  [
    ingress('{action: Allow, http: {methods: [GET, GET]}}'),
    'INVALID_FIELD',
    `${IN}.http.methods[1]`,
    'specified more than once',
  ],
  [
    ingress(`{action: Allow, http: {methods: [${Array.from({ length: 21 }, (_, at) => `M${at}`)}]}}`),
    'INVALID_FIELD',
    `${IN}.http.methods`,
    'found 21 items, expected at most 20 items',
  ],
  [
    ingress(`{action: Allow, http: {paths: [${Array(21).fill('{exact: /a}')}]}}`),
    'INVALID_FIELD',
    `${IN}.http.paths`,
    'found 21 items, expected at most 20 items',
  ],
  [
    ingress(`{action: Allow, http: {paths: [{exact: /${'a'.repeat(1024)}}]}}`),
    'INVALID_FIELD',
    `${IN}.http.paths[0].exact`,
    'found 1025 characters, expected at most 1024 characters',
  ],
  [ingress('{action: Allow, http: {methods: [GET]}}'), 'NEEDS_LAYER7', `${IN}.http`, 'needs layer 7'],
  [
    ingress('{action: Allow, protocol: 6, http: {paths: [{prefix: /}]}}'),
    'NEEDS_LAYER7',
    `${IN}.http`,
    'needs layer 7',
  ],
];

const services: readonly Rejection[] = [
  [
    egress('{action: Allow, protocol: TCP, destination: {services: {name: s}, ports: [80]}}'),
    RULE,
    `${OUT}.destination.services`,
    'ports and notPorts cannot be specified with services',
  ],
  [
    egress('{action: Allow, protocol: TCP, destination: {services: {name: s}, notPorts: [80]}}'),
    RULE,
    `${OUT}.destination.services`,
    'ports and notPorts cannot be specified with services',
  ],
  [
    toService('namespaceSelector: all()'),
    RULE,
    `${OUT}.destination.services`,
    'cannot specify NamespaceSelector and Services on the same rule',
  ],
  [
    fromService('serviceAccounts: {names: [a]}'),
    RULE,
    `${IN}.source.services`,
    'cannot specify ServiceAccounts and Services on the same rule',
  ],
  [toService('selector: has(a)'), RULE, `${OUT}.destination.services`, SELECTORS],
  [fromService('notSelector: has(a)'), RULE, `${IN}.source.services`, SELECTORS],
  [toService('nets: [10.0.0.0/8]'), RULE, `${OUT}.destination.services`, NETS],
  [fromService('notNets: [10.0.0.0/8]'), RULE, `${IN}.source.services`, NETS],
  [
    egress('{action: Allow, destination: {services: {namespace: x}}}'),
    RULE,
    `${OUT}.destination.services`,
    'services must specify a service name',
  ],
  [
    ingress('{action: Allow, source: {services: {name: ""}}}'),
    RULE,
    `${IN}.source.services`,
    'services must specify a service name',
  ],
  [
    egress('{action: Allow, source: {services: {name: s}}}'),
    RULE,
    `${OUT}.source.services`,
    'not allowed in egress rule source',
  ],
  [
    ingress('{action: Allow, destination: {services: {name: s}}}'),
    RULE,
    `${IN}.destination.services`,
    'not allowed in ingress rule destination',
  ],
  [
    globalEgress('{action: Allow, destination: {services: {name: s}}}'),
    RULE,
    `${OUT}.destination.services`,
    'must specify a namespace',
  ],
  [
    globalIngress('{action: Allow, source: {services: {name: s, namespace: ""}}}'),
    RULE,
    `${IN}.source.services`,
    'must specify a namespace',
  ],
];

const ports: readonly Rejection[] = [
  [ingress('{action: Allow, destination: {ports: [80]}}'), RULE, `${IN}.destination.ports[0]`, NUMERIC],
  [ingress('{action: Allow, destination: {ports: [http, "80:90"]}}'), RULE, `${IN}.destination.ports[1]`, NUMERIC],
  [ingress('{action: Allow, source: {notPorts: [80]}}'), RULE, `${IN}.source.notPorts[0]`, NUMERIC],
  [ingress('{action: Allow, protocol: ICMP, source: {ports: ["1:2"]}}'), RULE, `${IN}.source.ports[0]`, NUMERIC],
  [
    ingress('{action: Allow, protocol: 47, destination: {notPorts: [1]}}'),
    RULE,
    `${IN}.destination.notPorts[0]`,
    NUMERIC,
  ],
  [ingress('{action: Allow, protocol: ICMP, destination: {ports: [http]}}'), RULE, `${IN}.destination.ports`, PORTS],
  [ingress('{action: Allow, protocol: 255, source: {notPorts: [http]}}'), RULE, `${IN}.source.notPorts`, PORTS],
  [
    ingress('{action: Allow, protocol: TCP, destination: {ports: [0]}}'),
    'INVALID_FIELD',
    `${IN}.destination.ports[0]`,
    'port range invalid, port number must be between 1 and 65535',
  ],
  [
    ingress('{action: Allow, protocol: TCP, destination: {ports: ["0:9"]}}'),
    'INVALID_FIELD',
    `${IN}.destination.ports[0]`,
    'port range invalid, port number must be between 1 and 65535',
  ],
  [
    ingress('{action: Allow, protocol: TCP, destination: {ports: [65536]}}'),
    'INVALID_FIELD',
    `${IN}.destination.ports[0]`,
    'port range invalid, port number must be between 1 and 65535',
  ],
  [
    ingress('{action: Allow, protocol: TCP, destination: {ports: ["9:8"]}}'),
    'INVALID_FIELD',
    `${IN}.destination.ports[0]`,
    'port range invalid: found "9:8"',
  ],
  [
    ingress(`{action: Allow, protocol: TCP, destination: {ports: [${Array(51).fill(80)}]}}`),
    'INVALID_FIELD',
    `${IN}.destination.ports`,
    'found 51 items, expected at most 50 items',
  ],
];

const protocols: readonly Rejection[] = [
  [ingress('{action: Allow, protocol: 0}'), 'INVALID_FIELD', `${IN}.protocol`, 'protocol number invalid'],
  [ingress('{action: Allow, protocol: "0"}'), 'INVALID_FIELD', `${IN}.protocol`, 'protocol number invalid'],
  [ingress('{action: Allow, protocol: 256}'), 'INVALID_FIELD', `${IN}.protocol`, 'protocol number invalid'],
  [ingress('{action: Allow, notProtocol: 0}'), 'INVALID_FIELD', `${IN}.notProtocol`, 'protocol number invalid'],
  [
    ingress('{action: Allow, notProtocol: UPD}'),
    'INVALID_FIELD',
    `${IN}.notProtocol`,
    'protocol name invalid: found "UPD", expected a number 1-255 or one of TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite (did you mean UDP?)',
  ],
  [ingress('{action: Allow, icmp: {type: 8}}'), RULE, `${IN}.icmp`, ICMP_PROTOCOL],
  [ingress('{action: Allow, protocol: TCP, icmp: {type: 8}}'), RULE, `${IN}.icmp`, ICMP_PROTOCOL],
  [ingress('{action: Allow, protocol: ICMP, icmp: {code: 1}}'), RULE, `${IN}.icmp.code`, ICMP_TYPE],
  [ingress('{action: Allow, notICMP: {code: 1}}'), RULE, `${IN}.notICMP.code`, ICMP_TYPE],
  [
    ingress('{action: Allow, protocol: ICMP, icmp: {type: 255}}'),
    'INVALID_FIELD',
    `${IN}.icmp.type`,
    'found 255, expected at most 254',
  ],
  [
    ingress('{action: Allow, protocol: ICMP, ipVersion: 6}'),
    RULE,
    `${IN}.protocol`,
    'protocol ICMP requires ipVersion 4',
  ],
  [ingress('{action: Allow, protocol: 1, ipVersion: 6}'), RULE, `${IN}.protocol`, 'protocol ICMP requires ipVersion 4'],
  [
    ingress('{action: Allow, notProtocol: icmp, ipVersion: 6}'),
    RULE,
    `${IN}.notProtocol`,
    'protocol ICMP requires ipVersion 4',
  ],
  [
    ingress('{action: Allow, protocol: ICMPv6, ipVersion: 4}'),
    RULE,
    `${IN}.protocol`,
    'protocol ICMPv6 requires ipVersion 6',
  ],
  [
    ingress('{action: Allow, notProtocol: 58, ipVersion: 4}'),
    RULE,
    `${IN}.notProtocol`,
    'protocol ICMPv6 requires ipVersion 6',
  ],
];

const nets: readonly Rejection[] = [
  [ingress('{action: Allow, source: {nets: [10.0.0.0/8, "fe80::/10"]}}'), RULE, `${IN}.source.nets[1]`, BOTH_FAMILIES],
  [
    ingress('{action: Allow, source: {nets: [10.0.0.0/8]}, destination: {notNets: ["fe80::/10"]}}'),
    RULE,
    `${IN}.destination.notNets[0]`,
    BOTH_FAMILIES,
  ],
  [ingress('{action: Allow, ipVersion: 6, source: {nets: [10.0.0.0/8]}}'), RULE, `${IN}.source.nets[0]`, VERSION],
  [
    ingress('{action: Allow, ipVersion: 4, destination: {notNets: ["fe80::/10"]}}'),
    RULE,
    `${IN}.destination.notNets[0]`,
    VERSION,
  ],
  [ingress('{action: Allow, source: {notNets: [0.0.0.0/0]}}'), RULE, `${IN}.source.notNets[0]`, CATCH_ALL],
  [egress('{action: Deny, destination: {notNets: ["::/0"]}}'), RULE, `${OUT}.destination.notNets[0]`, CATCH_ALL],
  [ingress('{action: Allow, source: {notNets: ["0::/0"]}}'), RULE, `${IN}.source.notNets[0]`, CATCH_ALL],
  [ingress('{action: Allow, source: {nets: [10.0.0.1]}}'), 'INVALID_FIELD', `${IN}.source.nets[0]`, 'invalid CIDR'],
  [ingress('{action: Allow, source: {nets: [10.0.0.1/8]}}'), 'INVALID_FIELD', `${IN}.source.nets[0]`, 'invalid CIDR'],
  [
    ingress(
      `{action: Allow, source: {nets: [${Array.from({ length: 257 }, (_, at) => `10.${at >> 8}.${at & 255}.0/24`)}]}}`,
    ),
    'INVALID_FIELD',
    `${IN}.source.nets`,
    'found 257 items, expected at most 256 items',
  ],
];

const selectors: readonly Rejection[] = [
  [
    ingress('{action: Allow, source: {selector: "has(a) && global()"}}'),
    'INVALID_SELECTOR',
    `${IN}.source.selector`,
    GLOBAL,
  ],
  [ingress('{action: Allow, source: {notSelector: global()}}'), 'INVALID_SELECTOR', `${IN}.source.notSelector`, GLOBAL],
  [
    globalEgress('{action: Allow, destination: {namespaceSelector: "global() || has(a)"}}'),
    'INVALID_SELECTOR',
    `${OUT}.destination.namespaceSelector`,
    GLOBAL_ALONE,
  ],
  [
    ingress('{action: Allow, source: {namespaceSelector: "!global()"}}'),
    'INVALID_SELECTOR',
    `${IN}.source.namespaceSelector`,
    GLOBAL_ALONE,
  ],
  [np('{selector: global()}'), 'INVALID_SELECTOR', 'spec.selector', GLOBAL],
  [np('{serviceAccountSelector: global()}'), 'INVALID_SELECTOR', 'spec.serviceAccountSelector', GLOBAL],
  [gnp('{namespaceSelector: global()}'), 'INVALID_SELECTOR', 'spec.namespaceSelector', GLOBAL],
  [
    gnp(`{namespaceSelector: "${'a'.repeat(1025)}"}`),
    'INVALID_FIELD',
    'spec.namespaceSelector',
    'found 1025 characters, expected at most 1024 characters',
  ],
];

describeRejections('http', http);
describeRejections('services', services);
describeRejections('ports', ports);
describeRejections('protocols', protocols);
describeRejections('nets', nets);
describeRejections('selectors', selectors);

describe('not rejected', () => {
  it.each([
    ['named ports without protocol', ingress('{action: Allow, destination: {ports: [http]}}')],
    ['named ports without protocol in notPorts', ingress('{action: Allow, source: {notPorts: [http]}}')],
    [
      'named and numeric ports of TCP',
      ingress('{action: Allow, protocol: TCP, destination: {ports: [http, 80, "90:100"]}}'),
    ],
    ['ports of protocol 17', ingress('{action: Allow, protocol: 17, destination: {ports: [53]}}')],
    ['ports of protocol "6"', ingress('{action: Allow, protocol: "6", destination: {ports: ["1:65535"]}}')],
    ['ports of SCTP in any case', ingress('{action: Allow, protocol: sctp, destination: {ports: [53]}}')],
    ['UDPLite without ports', ingress('{action: Allow, protocol: UDPLite}')],
    ['UDPLite with ports', ingress('{action: Allow, protocol: UDPLite, destination: {ports: [53, dns]}}')],
    ['protocol 136 with ports', ingress('{action: Allow, protocol: 136, source: {notPorts: ["1:2"]}}')],
    ['every protocol number', ingress('{action: Allow, protocol: 255, notProtocol: 1}')],
    [
      'service accounts on either side',
      ingress(
        '{action: Allow, source: {serviceAccounts: {names: [a]}}, destination: {serviceAccounts: {selector: has(a)}}}',
      ),
    ],
    [
      'service accounts in egress',
      egress('{action: Allow, destination: {serviceAccounts: {names: [a], selector: all()}}}'),
    ],
    ['an empty entity', ingress('{action: Allow, source: {}, destination: {}}')],
    ['notICMP without protocol', ingress('{action: Allow, notICMP: {type: 8}}')],
    ['ICMP by number', ingress('{action: allow, protocol: 58, icmp: {type: 128, code: 0}}')],
    ['an empty icmp', ingress('{action: Allow, protocol: ICMP, icmp: {}}')],
    ['services in egress', egress('{action: Pass, destination: {services: {name: s}}}')],
    ['services in ingress', ingress('{action: Log, source: {services: {name: s, namespace: n}}}')],
    [
      'services of a cluster-wide policy',
      globalEgress('{action: Deny, destination: {services: {name: s, namespace: n}}}'),
    ],
    [
      'both families in different rules',
      ingress('{action: Allow, source: {nets: [10.0.0.0/8]}}, {action: Allow, source: {nets: ["fe80::/10"]}}'),
    ],
    ['catch-all nets', ingress('{action: Allow, source: {nets: [0.0.0.0/0]}}')],
    ['global() alone', globalIngress('{action: Allow, source: {namespaceSelector: " global( ) ", selector: has(a)}}')],
  ])('%s', (_name, text) => {
    expect(errorsOf(text).map(({ message }) => message)).toEqual([]);
  });
});

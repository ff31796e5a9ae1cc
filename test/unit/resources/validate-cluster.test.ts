import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';

const document = (spec: string, name = 'p'): string =>
  `apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\nmetadata: {name: ${name}}\nspec: ${spec}`;
const SUBJECT = 'tier: Admin, priority: 1, subject: {namespaces: {}}';
const ANY = '{namespaces: {}}';
const ingress = (rule: string): string => document(`{${SUBJECT}, ingress: [${rule}]}`);
const egress = (rule: string): string => document(`{${SUBJECT}, egress: [${rule}]}`);
const peer = (text: string): string => egress(`{action: Deny, to: [${text}]}`);
const protocol = (text: string): string => ingress(`{action: Deny, from: [${ANY}], protocols: [${text}]}`);
const list = (count: number, item: string): string => `[${Array(count).fill(item).join(', ')}]`;

describe('a cluster network policy', () => {
  it.each([
    ['the least', document(`{${SUBJECT}}`)],
    ['a name of several parts', document(`{${SUBJECT}}`, 'a.b.c')],
    ['priority 0', document('{tier: Baseline, priority: 0, subject: {pods: {podSelector: {}}}}')],
    ['a rule without protocols', ingress(`{name: ${'n'.repeat(100)}, action: Pass, from: [${ANY}]}`)],
    ['25 rules', ingress(Array(25).fill(`{action: Pass, from: [${ANY}]}`).join(', '))],
    ['25 peers', egress(`{action: Pass, to: ${list(25, ANY)}}`)],
    ['networks', peer('{networks: [10.0.0.0/8, "fd00::/8", 0.0.0.0/0]}')],
    ['a port', protocol('{tcp: {destinationPort: {number: 65535}}}')],
    ['a port range', protocol('{sctp: {destinationPort: {range: {start: 1, end: 2}}}}')],
    ['a named port', protocol('{destinationNamedPort: http}')],
    ['a status', `${document(`{${SUBJECT}}`)}\nstatus: {conditions: []}`],
  ])('may have %s', (_name, text) => {
    expect(parseDocuments(text, 'f').errors.map(({ message }) => message)).toEqual([]);
  });

  it.each([
    ['no tier', document('{priority: 1, subject: {namespaces: {}}}'), 'MISSING_FIELD', 'spec.tier: is missing'],
    ['no priority', document('{tier: Admin, subject: {namespaces: {}}}'), 'MISSING_FIELD', 'spec.priority: is missing'],
    ['no subject', document('{tier: Admin, priority: 1}'), 'MISSING_FIELD', 'spec.subject: is missing'],
    ['an unknown tier', document(`{${SUBJECT.replace('Admin', 'admin')}}`), 'INVALID_FIELD', 'did you mean Admin?'],
    ['priority -1', document(`{${SUBJECT.replace('1', '-1')}}`), 'INVALID_FIELD', 'found -1, expected at least 0'],
    ['priority 1001', document(`{${SUBJECT.replace('1', '1001')}}`), 'INVALID_FIELD', 'expected at most 1000'],
    ['priority 1.5', document(`{${SUBJECT.replace('1', '1.5')}}`), 'INVALID_FIELD', 'spec.priority'],
    [
      'an empty subject',
      document('{tier: Admin, priority: 1, subject: {}}'),
      'INVALID_RULE',
      'spec.subject: exactly one field must be set: found nothing, expected namespaces or pods',
    ],
    [
      'two subjects',
      document('{tier: Admin, priority: 1, subject: {namespaces: {}, pods: {podSelector: {}}}}'),
      'INVALID_RULE',
      'spec.subject: exactly one field must be set: found namespaces, pods',
    ],
    [
      'pods without podSelector',
      document('{tier: Admin, priority: 1, subject: {pods: {namespaceSelector: {}}}}'),
      'MISSING_FIELD',
      'spec.subject.pods.podSelector: is missing',
    ],
    [
      'a selector without values',
      document('{tier: Admin, priority: 1, subject: {namespaces: {matchExpressions: [{key: a, operator: In}]}}}'),
      'INVALID_SELECTOR',
      'spec.subject.namespaces.matchExpressions[0].values: In needs values',
    ],
    ['the action Allow', ingress(`{action: Allow, from: [${ANY}]}`), 'INVALID_FIELD', 'one of Accept, Deny, Pass'],
    ['no peers', ingress('{action: Deny}'), 'MISSING_FIELD', 'spec.ingress[0].from: is missing'],
    ['an empty list of peers', ingress('{action: Deny, from: []}'), 'INVALID_FIELD', 'expected at least 1 items'],
    ['26 peers', egress(`{action: Deny, to: ${list(26, ANY)}}`), 'INVALID_FIELD', 'found 26 items'],
    [
      '26 rules',
      ingress(Array(26).fill(`{action: Deny, from: [${ANY}]}`).join(', ')),
      'INVALID_FIELD',
      'found 26 items',
    ],
    ['26 networks', peer(`{networks: ${list(26, '10.0.0.0/8')}}`), 'INVALID_FIELD', 'found 26 items'],
    [
      '26 protocols',
      protocol(Array(26).fill('{destinationNamedPort: a}').join(', ')),
      'INVALID_FIELD',
      'found 26 items',
    ],
    ['an empty list of protocols', protocol(''), 'INVALID_FIELD', 'expected at least 1 items'],
    [
      'a rule name of 101 characters',
      ingress(`{name: ${'n'.repeat(101)}, action: Deny, from: [${ANY}]}`),
      'INVALID_FIELD',
      'found 101 characters',
    ],
    ['an empty peer', peer('{}'), 'INVALID_RULE', 'spec.egress[0].to[0]: exactly one field must be set: found nothing'],
    [
      'a peer of two kinds',
      peer('{namespaces: {}, networks: [10.0.0.0/8]}'),
      'INVALID_RULE',
      'found namespaces, networks',
    ],
    [
      'networks in ingress',
      ingress('{action: Deny, from: [{networks: [10.0.0.0/8]}]}'),
      'UNKNOWN_FIELD',
      'spec.ingress[0].from[0].networks: unknown field',
    ],
    ['a network with host bits', peer('{networks: [10.0.0.1/8]}'), 'INVALID_FIELD', 'invalid CIDR'],
    ['a bare address', peer('{networks: [10.0.0.1]}'), 'INVALID_FIELD', 'invalid CIDR'],
    ['an empty protocol', protocol('{}'), 'INVALID_RULE', 'protocols[0]: exactly one field must be set: found nothing'],
    ['a protocol without port', protocol('{tcp: {}}'), 'MISSING_FIELD', 'tcp.destinationPort: is missing'],
    [
      'two protocols in one',
      protocol('{tcp: {destinationPort: {number: 1}}, udp: {destinationPort: {number: 1}}}'),
      'INVALID_RULE',
      'found tcp, udp',
    ],
    [
      'number and range',
      protocol('{tcp: {destinationPort: {number: 1, range: {start: 1, end: 2}}}}'),
      'INVALID_RULE',
      'tcp.destinationPort: exactly one field must be set: found number, range, expected number or range',
    ],
    [
      'a range of one',
      protocol('{udp: {destinationPort: {range: {start: 2, end: 2}}}}'),
      'INVALID_RULE',
      'udp.destinationPort.range: Start port must be less than End port: found 2-2',
    ],
    ['port 0', protocol('{tcp: {destinationPort: {number: 0}}}'), 'INVALID_FIELD', 'found 0, expected at least 1'],
    ['the ports of older drafts', ingress(`{action: Deny, from: [${ANY}], ports: []}`), 'UNKNOWN_FIELD', 'ports'],
    [
      'a named port of networks',
      egress('{action: Deny, to: [{networks: [10.0.0.0/8]}], protocols: [{destinationNamedPort: a}]}'),
      'INVALID_RULE',
      'spec.egress[0]: networks/nodes/domainNames peer cannot be set with namedPorts',
    ],
  ])('may not have %s', (_name, text, code, message) => {
    const { resources, errors } = parseDocuments(text, 'f');
    expect(resources).toEqual([]);
    expect(errors).toMatchObject([{ code, message: expect.stringContaining(message) }]);
  });
});

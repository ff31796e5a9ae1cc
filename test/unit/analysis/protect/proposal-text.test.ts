import { describe, expect, it } from 'vitest';
import { hostEndpoint, hostPolicy, networkSet, type Proposal } from '../../../../src/analysis/protect/proposal.ts';
import { proposalText } from '../../../../src/analysis/protect/proposal-text.ts';
import { parseCidr } from '../../../../src/model/address.ts';
import { parseFullYaml } from '../../../../src/resources/yaml/full-yaml.ts';

const net = (text: string) => [parseCidr(text)].filter((each) => each !== undefined);
const PROPOSAL: Proposal = {
  why: ['two lines', 'of it'],
  objects: [
    networkSet('ssh-clients', [...net('198.51.100.0/24'), ...net('2001:db8::/32')], ['Who.']),
    hostPolicy(
      'in',
      'ingress',
      [{ why: ['SSH.'], rule: { action: 'Allow', protocol: 'TCP', destination: { ports: [22] } } }],
      ['In.'],
    ),
    hostPolicy('out', 'egress', [], ['Out.']),
    hostEndpoint('all', { node: 'web-1', interfaceName: '*' }, ['Here.']),
  ],
};

const TEXT = `# two lines
# of it
---
# Who.
apiVersion: projectcalico.org/v3
kind: GlobalNetworkSet
metadata:
  name: protect-ssh-clients
  labels:
    tortie.io/protect: ssh-clients
spec:
  nets: [198.51.100.0/24, "2001:db8::/32"]
---
# In.
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: in
  labels:
    tortie.io/protect: policy
spec:
  order: 5000
  selector: "tortie.io/protect == 'host'"
  types: [Ingress]
  ingress:
    # SSH.
    - action: Allow
      protocol: TCP
      destination:
        ports: [22]
---
# Out.
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: out
  labels:
    tortie.io/protect: policy
spec:
  order: 5000
  selector: "tortie.io/protect == 'host'"
  types: [Egress]
  egress: []
---
# Here.
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata:
  name: all
  labels:
    tortie.io/protect: host
spec:
  node: web-1
  interfaceName: "*"
`;

describe('proposalText', () => {
  it('is YAML with comments', () => {
    expect(proposalText(PROPOSAL)).toBe(TEXT);
  });

  it.each([
    'true',
    'no',
    '7',
    '7e3',
    '1.5',
    '',
    ' a',
    'a: b',
    '#a',
    '- a',
    "it's",
    '"',
    '2001:db8::/32',
    '192.0.2.0/24',
    '12:30:00',
    '~',
    'null',
  ])('writes the text %j so that it is read as that', (text) => {
    const odd = { why: [], objects: [hostEndpoint('all', { node: text, interfaceName: text }, [])] };
    const [document] = parseFullYaml(proposalText(odd));
    expect(document?.value).toMatchObject({ spec: { node: text, interfaceName: text } });
  });

  it('writes long lists one a line', () => {
    const nets = Array.from({ length: 20 }, (_, at) => net(`198.51.100.${at}`)).flat();
    const text = proposalText({ why: [], objects: [networkSet('many', nets, [])] });
    expect(text).toContain('  nets:\n    - 198.51.100.0/32\n    - 198.51.100.1/32\n');
    expect(parseFullYaml(text)[0]?.value).toMatchObject({ spec: { nets: nets.map((_, at) => `198.51.100.${at}/32`) } });
  });
});

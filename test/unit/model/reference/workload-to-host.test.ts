import { describe, expect, it } from 'vitest';
import { felix, gnp, HOST, hep, judge, POD, POD_MANIFEST, tcp } from './hosts.ts';

type Endpoint = 'none' | 'eth0' | '*' | '*, before DNAT';

interface Row {
  /** What the host's own rules do with packets that reach them. */
  readonly own: 'accept' | 'drop';
  readonly action: 'Accept' | 'Return' | 'Drop';
  readonly endpoint: Endpoint;
  readonly rule?: 'Allow' | 'Deny';
  readonly reaches: boolean;
}

/** The truth table of Calico's endpoint-to-host tests. */
const ROWS: readonly Row[] = [
  { own: 'drop', action: 'Accept', endpoint: 'none', reaches: true },
  { own: 'drop', action: 'Return', endpoint: 'none', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: 'none', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: 'none', reaches: true },
  { own: 'accept', action: 'Return', endpoint: 'none', reaches: true },
  { own: 'accept', action: 'Drop', endpoint: 'none', reaches: false },
  { own: 'accept', action: 'Return', endpoint: 'eth0', rule: 'Deny', reaches: true },
  { own: 'drop', action: 'Return', endpoint: 'eth0', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*, before DNAT', rule: 'Allow', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*, before DNAT', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*, before DNAT', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Return', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Return', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Drop', endpoint: '*, before DNAT', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*', rule: 'Allow', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*', rule: 'Allow', reaches: false },
  { own: 'drop', action: 'Accept', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'drop', action: 'Return', endpoint: '*', rule: 'Deny', reaches: false },
  { own: 'drop', action: 'Drop', endpoint: '*', rule: 'Deny', reaches: false },
  { own: 'accept', action: 'Accept', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'accept', action: 'Return', endpoint: '*', rule: 'Deny', reaches: true },
  { own: 'accept', action: 'Drop', endpoint: '*', rule: 'Deny', reaches: false },
];

function manifestsOf({ action, endpoint, rule }: Row): string[] {
  const settings = [POD_MANIFEST, felix(`defaultEndpointToHostAction: ${action}`)];
  if (endpoint === 'none') return settings;
  const isPreDnat = endpoint === '*, before DNAT';
  return [
    ...settings,
    hep('host', `interfaceName: "${isPreDnat ? '*' : endpoint}", expectedIPs: [${HOST}]`),
    gnp('out', 'egress: [{action: Allow}]'),
    gnp(
      'in',
      `${isPreDnat ? 'applyOnForward: true, preDNAT: true, ' : ''}ingress: [{action: ${rule}, source: {selector: "!has(hep)"}}]`,
    ),
  ];
}

describe('a packet from a workload to its own host', () => {
  it.each(ROWS)('$action, host endpoint $endpoint ($rule), own rules $own: reaches it $reaches', (row) => {
    const everybody = manifestsOf(row).map((text) => text.replace('selector: "!has(hep)"', `nets: [${POD}/32]`));
    const { verdict, stages } = judge(everybody, tcp({ kind: 'to-host', in: 'cali1' }, { from: POD }));
    const isLeftToHost = stages.at(-1)?.verdict === 'next';
    expect(verdict === 'allow' && (!isLeftToHost || row.own === 'accept')).toBe(row.reaches);
    expect(stages.map(({ stage }) => stage)).not.toContain('normal');
  });

  it('is dropped where nothing says otherwise', () => {
    expect(judge([POD_MANIFEST], tcp({ kind: 'to-host', in: 'cali1' }, { from: POD })).verdict).toBe('deny');
  });

  it("goes by its node's own setting before that of all nodes", () => {
    const settings = [
      felix('defaultEndpointToHostAction: Drop'),
      felix('defaultEndpointToHostAction: Accept', 'node.n1'),
      felix('defaultEndpointToHostAction: Drop', 'node.n2'),
    ];
    const packet = tcp({ kind: 'to-host', in: 'cali1' }, { from: POD });
    expect(judge([POD_MANIFEST, ...settings], packet).verdict).toBe('allow');
  });

  it('is stopped by its own egress policy first', () => {
    const manifests = [
      POD_MANIFEST,
      felix('defaultEndpointToHostAction: Accept'),
      gnp('none', 'types: [Egress]').replace('hep == "true"', 'all()'),
    ];
    const { verdict, stages } = judge(manifests, tcp({ kind: 'to-host', in: 'cali1' }, { from: POD }));
    expect([verdict, stages.map(({ stage }) => stage)]).toEqual(['deny', ['egress']]);
  });
});

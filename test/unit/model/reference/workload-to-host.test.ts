import { describe, expect, it } from 'vitest';
import { manifestsOf, ROWS } from './host-cases.ts';
import { felix, gnp, inShort, judge, POD, POD_MANIFEST, tcp } from './hosts.ts';

describe('a packet from a workload to its own host', () => {
  it.each(ROWS)('$action, host endpoint $endpoint ($rule), own rules $own: reaches it $reaches', (row) => {
    const everybody = manifestsOf(row).map((text) => text.replace('selector: "!has(hep)"', `nets: [${POD}/32]`));
    const { verdict, stages } = judge(everybody, tcp({ kind: 'to-host', in: 'cali1' }, { from: POD }));
    const isLeftToHost = stages.at(-1)?.verdict === 'next';
    expect(verdict === 'allow' && (!isLeftToHost || row.own === 'accept')).toBe(row.reaches);
    expect(stages.map(({ stage }) => stage)).not.toContain('normal');
  });

  it("is left to the host's own rules where nothing says otherwise", () => {
    const verdict = judge([POD_MANIFEST], tcp({ kind: 'to-host', in: 'cali1' }, { from: POD }));
    expect(inShort(verdict)).toMatch(/^allow, .*endpointToHost egress \S+ next$/);
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

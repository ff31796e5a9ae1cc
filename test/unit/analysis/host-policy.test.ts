import { describe, expect, it } from 'vitest';
import { desiredStateOf } from '../../../src/agent/offline.ts';
import { describeLeftOut, hostPoliciesOf } from '../../../src/analysis/host-policy.ts';
import { worldFrom } from '../../support/world-from.ts';

const object = (kind: string, name: string, spec: object): string =>
  JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, labels: { role: name } }, spec });
const host = (name: string, more: object = {}): string =>
  object('HostEndpoint', name, { node: 'n1', interfaceName: name, ...more });
const policy = (name: string, more: object): string =>
  object('GlobalNetworkPolicy', name, { selector: "role == 'lan'", ingress: [{ action: 'Allow' }], ...more });
const untold = (...objects: readonly string[]): string[] =>
  hostPoliciesOf(desiredStateOf(worldFrom(objects.join('\n---\n')), '*'));

describe('policy of host endpoints', () => {
  it.each([
    ['normal', {}],
    ['of what is forwarded', { applyOnForward: true }],
    ['pre-DNAT', { preDNAT: true, applyOnForward: true }],
    ['untracked', { doNotTrack: true, applyOnForward: true }],
  ])('is known by its policies: %s', (_, more) => {
    expect(untold(host('lan'), policy('guard', more))).toEqual(['gnp/guard']);
  });

  it('is there without any where nothing opens the endpoint', () => {
    expect(untold(host('lan'))).toEqual(['hostendpoint/lan']);
    expect(untold(host('lan', { profiles: ['open'] }))).toEqual([]);
  });

  it('is none of what selects workloads, or is staged', () => {
    const staged = object('StagedGlobalNetworkPolicy', 'soon', { selector: "role == 'lan'", types: ['Ingress'] });
    expect(untold(host('lan', { profiles: ['open'] }), staged, policy('pods', { selector: "app == 'web'" }))).toEqual(
      [],
    );
  });

  it('is told of in one sentence, or not at all', () => {
    expect(describeLeftOut([])).toBeUndefined();
    expect(describeLeftOut(['gnp/a', 'gnp/b'])).toContain('(gnp/a, gnp/b)');
  });
});

import { describe, expect, it } from 'vitest';
import { CalcGraph } from '../../../src/calc/graph.ts';
import type { DesiredState, PolicyList, ResolvedHostEndpoint } from '../../../src/calc/resolved.ts';
import { HOST_SCOPES } from '../../../src/model/policy.ts';
import type { ModelObject } from '../../../src/model/world.ts';
import { worldFrom } from '../../support/world-from.ts';

const hep = (name: string, spec = 'interfaceName: "*"', node = 'n1'): string =>
  `apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: ${name}, labels: {hep: ${name}}}\nspec: {node: ${node}, ${spec}}`;
const gnp = (name: string, spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ${name}}\nspec: {${spec}}`;
const felix = (spec: string): string =>
  `apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {name: default}\nspec: {${spec}}`;
const POD =
  'apiVersion: v1\nkind: Pod\nmetadata: {namespace: d, name: w}\nspec: {nodeName: n1}\nstatus: {podIP: 10.0.0.1}';

function objectsOf(...manifests: readonly string[]): ModelObject[] {
  return Object.values(worldFrom(manifests.join('\n---\n'))).flatMap((objects) => [...objects.values()]);
}

function graphOf(...manifests: readonly string[]): CalcGraph {
  const graph = new CalcGraph(({ node }) => node === 'n1');
  graph.apply(objectsOf(...manifests), []);
  return graph;
}

function host({ hostEndpoints }: DesiredState, name: string): ResolvedHostEndpoint {
  return hostEndpoints.get(`hostEndpoint:${name}`) as ResolvedHostEndpoint;
}

const namesIn = ({ tiers }: PolicyList): string[] =>
  tiers.flatMap(({ policies }) => policies.map(({ policy }) => policy.name));

/** Of each list that there is, the policies in it. */
function listsOf({ scopes }: ResolvedHostEndpoint): Record<string, readonly [ingress: string, egress: string]> {
  const shown = HOST_SCOPES.flatMap((scope) => {
    const pair = scopes[scope];
    return pair === undefined ? [] : [[scope, [namesIn(pair.ingress).join(), namesIn(pair.egress).join()]] as const];
  });
  return Object.fromEntries(shown);
}

const POLICIES = [
  gnp('plain', 'ingress: [{action: Allow}], egress: [{action: Allow}]'),
  gnp('forwarded', 'applyOnForward: true, ingress: [{action: Allow}]'),
  gnp('before', 'applyOnForward: true, preDNAT: true, ingress: [{action: Allow}]'),
  gnp('untracked', 'applyOnForward: true, doNotTrack: true, egress: [{action: Allow}]'),
];

describe('host endpoints', () => {
  it('have each policy in the lists that it is for', () => {
    const desired = graphOf(hep('a'), POD, ...POLICIES).flush();
    expect(listsOf(host(desired, 'a'))).toEqual({
      normal: ['forwarded,plain', 'plain'],
      forward: ['forwarded', ''],
      preDnat: ['before', ''],
      untracked: ['', 'untracked'],
    });
    const [workload] = desired.endpoints.values();
    expect([workload?.ingress, workload?.egress].map((list) => list && namesIn(list))).toEqual([
      ['forwarded', 'plain'],
      ['plain'],
    ]);
  });

  it('have lists that say what they are for', () => {
    const { scopes } = host(graphOf(hep('a'), ...POLICIES).flush(), 'a');
    const said = HOST_SCOPES.map((scope) => [scopes[scope]?.ingress.scope, scopes[scope]?.egress.scope]);
    expect(said).toEqual(HOST_SCOPES.map((scope) => [scope, scope]));
  });

  it('have no list without a policy but that for the host itself', () => {
    expect(listsOf(host(graphOf(hep('a')).flush(), 'a'))).toEqual({ normal: ['', ''] });
  });

  it('are those of this node', () => {
    const desired = graphOf(hep('a'), hep('b', 'interfaceName: eth0', 'n2')).flush();
    expect([...desired.hostEndpoints.keys()]).toEqual(['hostEndpoint:a']);
  });

  it('share lists where they agree', () => {
    const desired = graphOf(hep('a'), hep('b', 'interfaceName: eth0'), ...POLICIES).flush();
    expect(host(desired, 'a').scopes).toEqual(host(desired, 'b').scopes);
    for (const scope of HOST_SCOPES) {
      expect(host(desired, 'a').scopes[scope]?.ingress).toBe(host(desired, 'b').scopes[scope]?.ingress);
    }
  });

  it('keep the lists that a change is not about', () => {
    const graph = graphOf(hep('a'), POD, ...POLICIES);
    const { scopes: before } = host(graph.flush(), 'a');
    graph.apply(objectsOf(gnp('untracked', 'applyOnForward: true, doNotTrack: true, egress: [{action: Deny}]')), []);
    const { scopes: after } = host(graph.flush(), 'a');
    expect(after.untracked?.egress).not.toBe(before.untracked?.egress);
    expect(after.untracked?.ingress).toBe(before.untracked?.ingress);
    for (const scope of ['normal', 'forward', 'preDnat'] as const) {
      expect(after[scope]?.ingress).toBe(before[scope]?.ingress);
    }
  });

  it('follow a policy from list to list, and on and off workloads', () => {
    const graph = graphOf(hep('a'), POD, gnp('p', 'ingress: [{action: Allow}]'));
    const shown = (): unknown => {
      const desired = graph.flush();
      return [listsOf(host(desired, 'a')), [...desired.endpoints.values()].map(({ ingress }) => namesIn(ingress))];
    };
    const first = shown();
    graph.apply(objectsOf(gnp('p', 'applyOnForward: true, doNotTrack: true, ingress: [{action: Allow}]')), []);
    expect(shown()).toEqual([{ normal: ['', ''], untracked: ['p', ''] }, [[]]]);
    graph.apply(objectsOf(gnp('p', 'ingress: [{action: Allow}]')), []);
    expect(shown()).toEqual(first);
  });

  it('have the failsafe ports of their node in front of each list that knows them', () => {
    const graph = graphOf(hep('a'), ...POLICIES);
    const counts = (): unknown => {
      const { scopes } = host(graph.flush(), 'a');
      return HOST_SCOPES.map((scope) => scopes[scope]?.ingress.failsafes?.rules.ingress.length);
    };
    expect(counts()).toEqual([9, undefined, 9, 18]);
    graph.apply(objectsOf(felix('failsafeInboundHostPorts: [{port: 22, net: 10.0.0.0/8}]')), []);
    expect(counts()).toEqual([1, undefined, 1, 10]);
    expect(graph.flush().prefixes.size).toBe(1);
    graph.apply([], [{ type: 'hostSettings', key: 'default' }]);
    expect(counts()).toEqual([9, undefined, 9, 18]);
    expect(graph.flush().prefixes.size).toBe(0);
  });

  it('leave nothing behind when they are gone', () => {
    const graph = graphOf(
      hep('a', 'interfaceName: eth0, profiles: [projectcalico-default-allow]'),
      felix('failsafeInboundHostPorts: [{port: 22, net: 10.0.0.0/8}]'),
    );
    graph.apply(
      objectsOf(
        gnp(
          'nets',
          'applyOnForward: true, doNotTrack: true, ingress: [{action: Deny, source: {nets: [203.0.113.0/24]}}]',
        ),
      ),
      [],
    );
    expect(graph.flush().prefixes.size).toBe(2);
    graph.apply([], [{ type: 'hostEndpoint', key: 'a' }]);
    const desired = graph.flush();
    expect([desired.hostEndpoints.size, desired.prefixes.size]).toEqual([0, 0]);
  });
});

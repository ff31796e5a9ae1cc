// Policies for endpoints of hosts, made of what they were seen to say.
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../src/model/address.ts';
import { flow, recommendFor } from '../../../support/recommend/recommend-for.ts';
import { hostYaml, SHOP } from '../../../support/recommend/shop.ts';
import { worldFrom } from '../../../support/world-from.ts';

describe('Recommender, of endpoints of hosts', () => {
  it('makes a global policy for an endpoint of a host, which governs no workload with its labels', () => {
    const hosts =
      hostYaml('n1', { role: 'worker', app: 'web' }, ['192.0.2.21']) +
      hostYaml('n2', { role: 'other' }, ['192.0.2.22']);
    const records = [
      flow('10.65.0.10', '192.0.2.21', 9100, { count: 2 }),
      flow('192.0.2.22', '192.0.2.21', 22),
      flow('192.0.2.21', '10.65.0.20', 9000),
      flow('192.0.2.21', '198.51.100.7', 443),
    ];
    const { yaml, proof, policies, evidence } = recommendFor(worldFrom(SHOP + hosts), records, {
      isSubject: () => false,
      isHostSubject: ({ name }) => name === 'n1',
    });
    expect(yaml).toMatchInlineSnapshot(`
      "---
      # Host endpoint n1.
      apiVersion: projectcalico.org/v3
      kind: StagedGlobalNetworkPolicy
      metadata:
        name: recommended-n1
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'web' && !has(projectcalico.org/namespace)"
        types: [Ingress, Egress]
        ingress:
          # shop/web. Seen: 2 flows.
          - action: Allow
            protocol: TCP
            source:
              namespaceSelector: "projectcalico.org/name == 'shop'"
              selector: "app == 'web'"
            destination:
              ports: [9100]
          # node: host n2. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            source:
              namespaceSelector: "global()"
              selector: "role == 'other'"
            destination:
              ports: [22]
        egress:
          # shop/api. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              namespaceSelector: "projectcalico.org/name == 'shop'"
              selector: "app == 'api'"
              ports: [9000]
          # https: an address outside. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              nets: [198.51.100.7/32]
              ports: [443]
      "
    `);
    expect(policies).toEqual([{ name: 'recommended-n1', workload: 'n1', endpoints: 1, rules: 4 }]);
    expect(evidence).toMatchObject({ flows: 5, unused: {} });
    expect(proof.replay).toEqual({ flows: 4, denied: 0, examples: [] });
    expect(proof.unseen).toMatchObject({ unexplained: 0, widened: 0, examples: [] });
    expect(proof.unseen.denied).toBeGreaterThan(100);
    // Together with what is in force: ports that are never closed let through what nobody was seen to send.
    expect(proof.inContext.unseen.examples[0]?.rule).toContain('__FAILSAFE__');
  });

  it('knows an endpoint of a host by what its interfaces have, which no selector of its peers knows', () => {
    const hosts = hostYaml('n1', { role: 'one' }, []) + hostYaml('n2', { role: 'two' }, ['192.0.2.22']);
    const found: Record<string, readonly string[]> = {
      n1: ['192.0.2.21', '2001:db8::21'],
      n2: ['192.0.2.22', '2001:db8::22'],
    };
    const records = [
      flow('198.51.100.7', '192.0.2.21', 22),
      flow('2001:db8::22', '2001:db8::21', 9100),
      flow('192.0.2.22', '192.0.2.21', 9100),
    ];
    const { yaml, proof, policies, evidence } = recommendFor(worldFrom(SHOP + hosts), records, {
      isSubject: () => false,
      isHostSubject: () => true,
      addressesOf: ({ name }) => (found[name] ?? []).flatMap((text) => parseAddress(text) ?? []),
    });
    expect(policies.map(({ name, rules }) => [name, rules])).toEqual([
      ['recommended-n1', 3],
      ['recommended-n2', 2],
    ]);
    expect(evidence).toMatchObject({ flows: 3, unused: {} });
    expect(yaml).toContain('nets: [192.0.2.22/32]');
    expect(yaml).toContain('nets: ["2001:db8::22/128"]');
    expect(proof.replay).toEqual({ flows: 3, denied: 0, examples: [] });
    expect(proof.unseen).toMatchObject({ unexplained: 0, examples: [] });
  });

  it('says what an endpoint of a host lacks to be recommended for', () => {
    const attempt = (yaml: string) => () =>
      recommendFor(worldFrom(SHOP + yaml), [], { isSubject: () => false, isHostSubject: () => true });
    expect(attempt(hostYaml('n1', { role: 'worker' }, []))).toThrow(
      'recommend host endpoint n1: has no addresses (flows are told by address: list them in its expectedIPs)',
    );
    const alike = hostYaml('n1', { role: 'a' }, ['192.0.2.21']) + hostYaml('n2', { role: 'a' }, ['192.0.2.22']);
    expect(attempt(alike)).toThrow('recommend host endpoint n1: has no labels that name it alone');
  });
});

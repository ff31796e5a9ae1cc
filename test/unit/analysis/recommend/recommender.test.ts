import { describe, expect, it } from 'vitest';
import { clusterAddressesOf } from '../../../../src/analysis/recommend/cluster-addresses.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { flow, inShop, recommendFor } from '../../../support/recommend/recommend-for.ts';
import { podYaml, SHOP } from '../../../support/recommend/shop.ts';
import { worldFrom } from '../../../support/world-from.ts';

/** The shop with a service of these cluster addresses. */
function shopWithService(addresses: string) {
  const service = `---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {clusterIPs: ${addresses}, ports: [{name: pg, port: 80}]}
`;
  const { resources } = parseDocuments(SHOP + service, 'shop.yaml');
  return { world: worldFrom(SHOP), services: clusterAddressesOf(resources) };
}

describe('Recommender', () => {
  it('names workloads by the labels that are theirs alone, and counts what each rule is made of', () => {
    const { yaml, proof } = recommendFor(
      worldFrom(SHOP),
      [
        flow('10.65.0.10', '10.65.0.20', 9000, { count: 3 }),
        flow('10.65.0.11', '10.65.0.20', 9000),
        flow('10.65.0.10', '10.65.9.53', 53, { protocol: 'UDP', count: 7 }),
        flow('10.65.0.20', '192.0.2.10', 6443),
        flow('198.51.100.7', '10.65.0.10', 443),
      ],
      { isSubject: inShop },
    );
    expect(yaml).toMatchInlineSnapshot(`
      "---
      # shop/api: 1 endpoint.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-api
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'api'"
        types: [Ingress, Egress]
        ingress:
          # shop/web. Seen: 4 flows.
          - action: Allow
            protocol: TCP
            source:
              selector: "app == 'web'"
            destination:
              ports: [9000]
        egress:
          # API server: service default/kubernetes. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            destination:
              services:
                name: kubernetes
                namespace: default
      ---
      # shop/db: 1 endpoint.
      # It was not seen to be spoken to: all of that is denied.
      # It was not seen to speak to anybody: all of that is denied.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-db
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'db'"
        types: [Ingress, Egress]
        ingress: []
        egress: []
      ---
      # shop/web: 2 endpoints.
      apiVersion: projectcalico.org/v3
      kind: StagedNetworkPolicy
      metadata:
        name: recommended-web
        namespace: shop
        labels:
          tortie.io/recommended: flows
      spec:
        tier: default
        order: 1000
        selector: "app == 'web'"
        types: [Ingress, Egress]
        ingress:
          # https: an address outside. Seen: 1 flow.
          - action: Allow
            protocol: TCP
            source:
              nets: [198.51.100.7/32]
            destination:
              ports: [443]
        egress:
          # DNS: kube-system/kube-dns. Seen: 7 flows.
          # Long answers come by TCP 53, which was not seen unless there is a rule for it.
          - action: Allow
            protocol: UDP
            destination:
              namespaceSelector: "projectcalico.org/name == 'kube-system'"
              selector: "k8s-app == 'kube-dns'"
              ports: [53]
          # shop/api. Seen: 4 flows.
          - action: Allow
            protocol: TCP
            destination:
              selector: "app == 'api'"
              ports: [9000]
      "
    `);
    expect(proof.replay).toEqual({ flows: 5, denied: 0, examples: [] });
    expect(proof.unseen.unexplained).toBe(0);
    expect(proof.unseen.denied).toBe(proof.unseen.probes);
    expect(proof.unseen.probes).toBeGreaterThan(100);
  });

  it('makes no rule of what was denied, and says how much that was', () => {
    const { evidence, yaml } = recommendFor(
      worldFrom(SHOP),
      [flow('10.65.0.10', '10.65.0.30', 5432, { verdict: 'deny' }), flow('10.65.0.10', '10.65.0.20', 9000)],
      { isSubject: inShop },
    );
    expect(evidence).toEqual({ reports: 2, flows: 1, conversations: 1, denied: 1, unused: {}, leftOut: 0 });
    expect(yaml).not.toContain('5432');
  });

  it('leaves out what it cannot tell apart, with the reason', () => {
    const end = { type: 'net', namespace: '', name: 'pub', aggregatedName: 'pub', address: '', port: 0, labels: {} };
    const web = { ...end, type: 'wep', namespace: 'shop', name: 'web-7d9-aaaaa', address: '10.65.0.10' };
    const log = { reporter: 'src', action: 'allow', protocol: 'TCP', source: web, startTime: 1, endTime: 2 };
    const { evidence } = recommendFor(worldFrom(SHOP), [
      { ...log, destination: { ...end, port: 443 } },
      { ...log, destination: { ...web, name: 'gone-1', address: '10.65.7.7', port: 80 } },
      { ...log, destination: { ...end, type: 'hep', name: 'node9', aggregatedName: 'node9', port: 22 } },
    ]);
    expect(evidence.unused).toEqual({ noAddress: 2, unknownEnd: 1 });
    const internet = { ...log, destination: { ...end, port: 443 } };
    const { yaml, proof } = recommendFor(worldFrom(SHOP), [internet], { isPublicNamed: true, isSubject: inShop });
    expect(yaml).toContain('nets: [0.0.0.0/0]\n        notNets: [10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16]');
    expect(proof).toMatchObject({ replay: { flows: 1, denied: 0 }, unseen: { unexplained: 0 } });
    expect(proof.unseen.widened).toBeGreaterThan(0);
  });

  it('takes a service without an address by the cluster address that the policy of its client sees', () => {
    const pvt = { type: 'net', namespace: '', name: 'pvt', aggregatedName: 'pvt', address: '', port: 80, labels: {} };
    const web = { ...pvt, type: 'wep', namespace: 'shop', name: 'web-7d9-*', aggregatedName: 'web-7d9-*', port: 0 };
    const log = { reporter: 'src', action: 'allow', protocol: 'TCP', source: web, destination: pvt, flowsStarted: 6 };
    const toService = { ...log, service: { namespace: 'shop', name: 'db', portName: 'pg', port: 80 } };
    const { world, services } = shopWithService('[10.96.0.10, "fd00::10"]');
    const options = { isSubject: inShop, clusterAddresses: services };
    const { yaml, evidence, proof } = recommendFor(world, [toService], options);
    expect(yaml).toContain('# http: service shop/db. Seen: 6 flows, last');
    expect(yaml).toContain('nets: [10.96.0.10/32]\n        ports: [80]');
    expect(yaml).not.toContain('fd00::10');
    expect(evidence).toMatchObject({ flows: 6, unused: {}, leftOut: 0 });
    expect(proof.replay).toMatchObject({ flows: 2, denied: 0 });
    // One that is gone, or that was not known when the record was made.
    const gone = { ...toService, service: { ...toService.service, name: 'gone' } };
    const { evidence: without, proof: rest } = recommendFor(
      world,
      [gone, log, flow('10.65.0.10', '10.65.0.20', 9000)],
      options,
    );
    expect(without).toMatchObject({ unused: { noAddress: 12 }, leftOut: 12 });
    expect(rest.replay).toMatchObject({ flows: 1, denied: 0 });
  });

  it('counts as left out what passed and is of somebody who is recommended for', () => {
    const pvt = { type: 'net', namespace: '', name: 'pvt', aggregatedName: 'pvt', address: '', port: 80, labels: {} };
    const of = (namespace: string, name: string) => ({
      ...pvt,
      type: 'wep',
      namespace,
      name,
      aggregatedName: name,
      port: 0,
    });
    const log = { reporter: 'src', action: 'allow', protocol: 'TCP', destination: pvt, flowsStarted: 3 };
    const { evidence } = recommendFor(
      worldFrom(SHOP),
      [
        { ...log, source: of('kube-system', 'coredns-1') },
        { ...log, source: of('shop', 'db-0'), action: 'deny' },
        { ...log, source: of('shop', 'db-0') },
      ],
      { isSubject: inShop },
    );
    expect(evidence).toMatchObject({ unused: { elsewhere: 3, noAddress: 6 }, leftOut: 3 });
  });

  it('says which policies in force would deny before it, and which let through what was not seen', () => {
    const policy = (name: string, order: number, rule: string): string => `---
apiVersion: projectcalico.org/v3
kind: NetworkPolicy
metadata: {name: ${name}, namespace: shop}
spec: {order: ${order}, selector: app == 'api', types: [Ingress], ingress: [${rule}]}
`;
    const early = policy('no-9000', 1, '{action: Deny, protocol: TCP, destination: {ports: [9000]}}');
    const wide = policy('any-udp', 2, '{action: Allow, protocol: UDP}');
    const { proof } = recommendFor(worldFrom(SHOP + early + wide), [flow('10.65.0.10', '10.65.0.20', 9000)], {
      isSubject: inShop,
    });
    expect(proof.replay.denied).toBe(0);
    expect(proof.inContext.replay).toMatchObject({
      denied: 1,
      examples: [{ direction: 'ingress', rule: 'default|np:shop/no-9000|deny|0' }],
    });
    expect(proof.inContext.unseen.unexplained).toBeGreaterThan(0);
    expect(proof.inContext.unseen.examples[0]?.rule).toBe('default|np:shop/any-udp|allow|0');
  });

  it('refuses a tier that passes what its policies do not decide', () => {
    const tier =
      '---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: soft}\nspec: {order: 5, defaultAction: Pass}\n';
    const attempt = (name: string) => () => recommendFor(worldFrom(SHOP + tier), [], { tier: name });
    expect(attempt('soft')).toThrow(/passes what no policy of it decides/);
    expect(attempt('none')).toThrow(/no such tier/);
    expect(() => recommendFor(worldFrom(SHOP), [], { isSubject: () => false })).toThrow(/no endpoint is meant/);
  });

  it('names a workload apart from one that has its labels and one more', () => {
    const more = podYaml({
      namespace: 'shop',
      name: 'api-canary',
      address: '10.65.0.21',
      labels: { app: 'api', role: 'canary' },
    });
    const { yaml, proof } = recommendFor(worldFrom(SHOP + more), [flow('10.65.0.10', '10.65.0.20', 9000)], {
      isSubject: inShop,
    });
    expect(yaml).toContain("app == 'api' && !has(role)");
    expect(yaml).toContain("role == 'canary'");
    expect(proof.unseen.unexplained).toBe(0);
  });
});

import { describe, expect, it } from 'vitest';
import { explainEndpoint } from '../../../../src/analysis/explain/endpoint.ts';
import { createContext } from '../../../../src/analysis/lint/context.ts';
import type { WorkloadEndpoint } from '../../../../src/model/endpoint.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';
import { THREE_TIER } from './explanations.ts';

const WEB = 'shop/node1-k8s-web--1-eth0';

function explained(key: string, { world, inventory, desired } = THREE_TIER) {
  return explainEndpoint(world.workloadEndpoints.get(key) as WorkloadEndpoint, inventory, desired);
}

describe('an explained endpoint', () => {
  it('says which labels are its own and which are lent', () => {
    const { labels } = explained(WEB);
    expect(labels).toContainEqual({ label: 'app', value: 'web', from: 'own' });
    expect(labels).toContainEqual({ label: 'pcns.environment', value: 'production', from: 'profile/kns.shop' });
  });

  it('lists what governs it in order, with the end of every tier', () => {
    const [ingress] = explained(WEB).directions;
    expect(ingress?.tiers.map(({ tier, policies, end }) => [tier, policies.map(({ policy }) => policy), end])).toEqual([
      ['security', ['gnp/security-baseline'], 'deny'],
      ['default', ['snp/shop/web-for-office-only', 'np/shop/web', 'gnp/default-deny'], 'deny'],
    ]);
    expect(ingress?.profiles.map(({ profile, exists }) => [profile, exists])).toEqual([['profile/kns.shop', true]]);
  });

  it('says whom it may reach, with the policy of the other end', () => {
    const [, egress] = explained(WEB).directions;
    expect(egress?.allowed).toContainEqual({
      peers: 'shop/api-1',
      endpoints: 1,
      services: ['TCP 9000', 'ICMP type 8'],
      families: [4],
    });
    expect(egress?.pending).toBeUndefined();
  });

  it('says what its staged policies would change', () => {
    const [ingress] = explained(WEB).directions;
    expect(ingress?.pending?.gained).toEqual([]);
    expect(ingress?.pending?.lost).toContainEqual({
      peers: 'network set shop/office',
      endpoints: 0,
      services: ['UDP 8443'],
      families: [4, 6],
    });
  });

  it('has nobody to talk to without an address, and says which profile is missing', () => {
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: ns}\nspec: {nodeName: n}';
    const alone = explained('ns/n-k8s-p-eth0', createContext(parseDocuments(pod, 'f.yaml').resources, []));
    for (const { allowed, profiles, tiers } of alone.directions) {
      expect(allowed).toEqual([]);
      expect(tiers).toEqual([]);
      expect(profiles).toEqual([{ profile: 'profile/kns.ns', exists: false, rules: [] }]);
    }
  });
});

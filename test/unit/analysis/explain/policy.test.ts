import { describe, expect, it } from 'vitest';
import { explainPolicy } from '../../../../src/analysis/explain/policy.ts';
import type { Policy } from '../../../../src/model/policy.ts';
import { THREE_TIER } from './explanations.ts';

function explained(key: string) {
  const { world, inventory, desired } = THREE_TIER;
  return explainPolicy(world.policies.get(key) as Policy, inventory, desired);
}

describe('an explained policy', () => {
  it('says where it stands, and whom it selects', () => {
    expect(explained('GlobalNetworkPolicy//default-deny')).toMatchObject({
      name: 'gnp/default-deny',
      file: '30-application.yaml',
      tier: { name: 'default', exists: true, order: 1_000_000, defaultAction: 'deny' },
      order: 2000,
      selects: 'in namespace shop',
      endpoints: ['shop/api-1', 'shop/db-1', 'shop/web-1'],
      isForWorkloads: true,
    });
  });

  it('names the policies before and after it, of every tier, with how many endpoints they share', () => {
    const { directions } = explained('NetworkPolicy/shop/web');
    expect(directions.map(({ direction, before, after }) => [direction, before, after])).toEqual([
      [
        'ingress',
        [
          { policy: 'gnp/security-baseline', tier: 'security', staged: false, endpoints: 1 },
          { policy: 'snp/shop/web-for-office-only', tier: 'default', staged: true, endpoints: 1 },
        ],
        [{ policy: 'gnp/default-deny', tier: 'default', staged: false, endpoints: 1 }],
      ],
      [
        'egress',
        [{ policy: 'gnp/security-baseline', tier: 'security', staged: false, endpoints: 1 }],
        [{ policy: 'gnp/default-deny', tier: 'default', staged: false, endpoints: 1 }],
      ],
    ]);
  });

  it('resolves who its rules speak of, with addresses', () => {
    const { directions } = explained('NetworkPolicy/shop/api');
    expect(directions[0]?.rules[0]).toMatchObject({
      source: { members: [{ name: 'shop/web-1', addresses: ['10.65.0.10', 'fd00:65::10'] }] },
      destination: { portNames: { grpc: ['TCP 9000'] } },
    });
    expect(directions[0]?.rules[1]?.source.members).toEqual([
      { name: 'networkset/shop/office', addresses: ['192.0.2.0/28', '2001:db8:2::/64'] },
    ]);
  });

  it('is marked when it is staged', () => {
    expect(explained('StagedNetworkPolicy/shop/web-for-office-only').staged).toBe(true);
  });
});

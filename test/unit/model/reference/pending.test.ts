import { describe, expect, it } from 'vitest';
import { judge } from '../../../support/judge.ts';

const PODS = `
apiVersion: v1
kind: Namespace
metadata: { name: shop }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: web, labels: { app: web } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.1 }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: db, labels: { app: db } }
spec: { nodeName: n1 }
status: { podIPs: [{ ip: 10.0.0.2 }] }
---
apiVersion: projectcalico.org/v3
kind: Tier
metadata: { name: guard }
spec: { order: 10 }
`;

interface PolicyText {
  readonly kind: string;
  readonly name: string;
  readonly spec: string;
}

function policy({ kind, name, spec }: PolicyText): string {
  const scope = kind.includes('Global') ? '' : 'namespace: shop, ';
  return `---\napiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: { ${scope}name: ${name} }\nspec: ${spec}\n`;
}

const TO_DB = { src: '10.0.0.1', dst: '10.0.0.2', protocol: 'TCP', dstPort: 5432 };
const ALLOW_WEB = `{ selector: app == 'db', types: [Ingress], ingress: [{ action: Allow, source: { selector: app == 'web' } }] }`;
const DENY_ALL = `{ selector: app == 'db', types: [Ingress], ingress: [{ action: Deny }] }`;

function ingressOf(...policies: readonly PolicyText[]): unknown {
  return judge(PODS + policies.map(policy).join(''), TO_DB)[0]?.ingress;
}

describe('the pending trace', () => {
  it('is absent where no staged policy governs', () => {
    expect(ingressOf({ kind: 'NetworkPolicy', name: 'a', spec: ALLOW_WEB })).toEqual({
      endpoint: 'shop/db',
      verdict: 'allow',
      trace: ['0|default|np:shop/a|allow|0'],
    });
  });

  it('says what a staged policy would do, while the profile still decides', () => {
    expect(ingressOf({ kind: 'StagedNetworkPolicy', name: 's', spec: DENY_ALL })).toMatchObject({
      verdict: 'allow',
      trace: ['0|__PROFILE__|pro:kns.shop|allow|0'],
      pending: { verdict: 'deny', trace: ['0|default|snp:shop/s|deny|0'] },
    });
  });

  it('puts a staged policy in its place among the enforced ones', () => {
    const staged = { kind: 'StagedGlobalNetworkPolicy', name: 'first', spec: DENY_ALL.replace('{', '{ order: 1,') };
    const enforced = { kind: 'NetworkPolicy', name: 'second', spec: ALLOW_WEB.replace('{', '{ order: 2,') };
    expect(ingressOf(staged, enforced)).toMatchObject({
      verdict: 'allow',
      trace: ['0|default|np:shop/second|allow|0'],
      pending: { verdict: 'deny', trace: ['0|default|sgnp:first|deny|0'] },
    });
  });

  it('keeps the enforced namesake: both are evaluated, the enforced one first', () => {
    expect(
      ingressOf(
        { kind: 'NetworkPolicy', name: 'same', spec: ALLOW_WEB },
        { kind: 'StagedNetworkPolicy', name: 'same', spec: DENY_ALL },
      ),
    ).toMatchObject({ pending: { verdict: 'allow', trace: ['0|default|np:shop/same|allow|0'] } });
  });

  it('ends a tier that only staged policies govern with the default of the tier', () => {
    const spec = `{ tier: guard, selector: app == 'db', types: [Ingress], ingress: [{ action: Allow, source: { nets: [192.0.2.0/24] } }] }`;
    expect(ingressOf({ kind: 'StagedGlobalNetworkPolicy', name: 'g', spec })).toMatchObject({
      verdict: 'allow',
      trace: ['0|__PROFILE__|pro:kns.shop|allow|0'],
      pending: { verdict: 'deny', trace: ['0|guard|sgnp:g|deny|-1'] },
    });
  });

  it('lays the end of a tier to its last policy, staged or not', () => {
    const none = `selector: app == 'db', types: [Ingress], ingress: []`;
    expect(
      ingressOf(
        { kind: 'NetworkPolicy', name: 'a', spec: `{ order: 1, ${none} }` },
        { kind: 'StagedNetworkPolicy', name: 'b', spec: `{ order: 2, ${none} }` },
      ),
    ).toMatchObject({
      trace: ['0|default|np:shop/a|deny|-1'],
      pending: { trace: ['0|default|snp:shop/b|deny|-1'] },
    });
  });

  it('goes on to later tiers and profiles after a staged Pass', () => {
    const pass = `{ tier: guard, selector: app == 'db', types: [Ingress], ingress: [{ action: Pass }] }`;
    expect(
      ingressOf(
        { kind: 'StagedGlobalNetworkPolicy', name: 'g', spec: pass },
        { kind: 'NetworkPolicy', name: 'a', spec: ALLOW_WEB },
      ),
    ).toMatchObject({
      trace: ['0|default|np:shop/a|allow|0'],
      pending: { verdict: 'allow', trace: ['0|guard|sgnp:g|pass|0', '1|default|np:shop/a|allow|0'] },
    });
  });

  it.each(['Learn', 'Ignore', 'Set'])('evaluates stagedAction %s', (action) => {
    const spec = DENY_ALL.replace('{', `{ stagedAction: ${action},`);
    expect(ingressOf({ kind: 'StagedNetworkPolicy', name: 's', spec })).toMatchObject({ pending: { verdict: 'deny' } });
  });

  it('does not evaluate stagedAction Delete', () => {
    expect(ingressOf({ kind: 'StagedNetworkPolicy', name: 's', spec: '{ stagedAction: Delete }' })).not.toHaveProperty(
      'pending',
    );
  });

  it('covers staged Kubernetes policies', () => {
    const spec = '{ podSelector: { matchLabels: { app: db } }, policyTypes: [Ingress] }';
    expect(ingressOf({ kind: 'StagedKubernetesNetworkPolicy', name: 'k', spec })).toMatchObject({
      verdict: 'allow',
      pending: { verdict: 'deny', trace: ['0|default|sknp:shop/k|deny|-1'] },
    });
  });

  it('is only on the side that a staged policy governs', () => {
    const [answer] = judge(PODS + policy({ kind: 'StagedNetworkPolicy', name: 's', spec: DENY_ALL }), TO_DB);
    expect(answer?.egress).not.toHaveProperty('pending');
    expect(answer?.ingress).toHaveProperty('pending');
  });
});

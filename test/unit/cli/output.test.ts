import { describe, expect, it } from 'vitest';
import { resourceTypeNamed } from '../../../src/cli/kind-names.ts';
import { formatTable } from '../../../src/cli/output.ts';

describe('formatTable', () => {
  it('pads columns to their widest cell, colour codes apart', () => {
    const red = '\u001b[31mno\u001b[0m';
    expect(
      formatTable(
        ['A', 'B'],
        [
          [red, 'x'],
          ['longer', 'y'],
        ],
      ),
    ).toBe(`A       B\n${red}      x\nlonger  y`);
  });
});

describe('resourceTypeNamed', () => {
  it.each([
    ['gnp', 'GlobalNetworkPolicy'],
    ['GlobalNetworkPolicies', 'GlobalNetworkPolicy'],
    ['networkpolicy', 'NetworkPolicy'],
    ['knp', 'KubernetesNetworkPolicy'],
    ['heps', 'HostEndpoint'],
    ['pods', 'Pod'],
  ])('takes %s for %s', (name, type) => {
    expect(resourceTypeNamed(name)).toBe(type);
  });

  it('knows no other', () => {
    expect(resourceTypeNamed('frob')).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { isProven, summaryLines } from '../../../src/cli/recommend-text.ts';
import { flow, inShop, recommendFor } from '../../support/recommend/recommend-for.ts';
import { SHOP } from '../../support/recommend/shop.ts';
import { worldFrom } from '../../support/world-from.ts';

describe('isProven', () => {
  const seen = flow('10.65.0.10', '10.65.0.20', 9000);
  const web = {
    type: 'wep',
    namespace: 'shop',
    name: 'web-7d9-*',
    aggregatedName: 'web-7d9-*',
    address: '',
    labels: {},
  };
  const pub = { type: 'net', namespace: '', name: 'pub', aggregatedName: 'pub', address: '', port: 443, labels: {} };
  const outside = { reporter: 'src', action: 'allow', protocol: 'TCP', source: web, destination: pub, flowsStarted: 4 };

  it('is so of what has a rule for all that passed', () => {
    const recommendation = recommendFor(worldFrom(SHOP), [seen], { isSubject: inShop });
    expect(isProven(recommendation)).toBe(true);
    expect(summaryLines(recommendation).join('\n')).not.toContain('Left out');
  });

  it('is not so of what leaves out flows that passed, unless that is accepted', () => {
    const recommendation = recommendFor(worldFrom(SHOP), [seen, outside], { isSubject: inShop });
    expect(isProven(recommendation)).toBe(false);
    expect(isProven(recommendation, true)).toBe(true);
    expect(summaryLines(recommendation).join('\n')).toContain(
      'Left out: 4 flows that passed; the policies would deny them.',
    );
    const named = recommendFor(worldFrom(SHOP), [seen, outside], { isSubject: inShop, isPublicNamed: true });
    expect(isProven(named)).toBe(true);
  });
});

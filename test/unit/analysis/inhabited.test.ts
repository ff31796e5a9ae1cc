import { describe, expect, it } from 'vitest';
import { inhabitedClasses } from '../../../src/analysis/inhabited.ts';
import { classifyJointly } from '../../../src/analysis/joint-classes.ts';
import { formatCidr, parseCidr } from '../../../src/model/address.ts';

/** The prefixes that have addresses of their own class, when each is in a set of its own; the outside as `outside`. */
function inhabited(texts: readonly string[]): string[] {
  const prefixes = texts.map((text, set) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) throw new Error(text);
    return [formatCidr(cidr), { cidr, sets: new Map([[set + 1, 1]]) }] as const;
  });
  const joint = classifyJointly([
    { endpoints: new Map(), hostEndpoints: new Map(), hostSettings: new Map(), prefixes: new Map(prefixes) },
  ]);
  const ids = inhabitedClasses(joint);
  const own = [...joint.prefixes[4], ...joint.prefixes[6]]
    .filter(({ class: found }) => ids.has(found.id))
    .map(({ cidr }) => formatCidr(cidr));
  return ids.has(joint.outside[4].id) ? ['outside', ...own] : own;
}

describe('inhabited classes', () => {
  it.each([
    { prefixes: ['10.0.0.0/8'], expected: ['outside', '10.0.0.0/8'] },
    { prefixes: ['10.0.0.0/31', '10.0.0.0/32'], expected: ['outside', '10.0.0.0/31', '10.0.0.0/32'] },
    { prefixes: ['10.0.0.0/31', '10.0.0.0/32', '10.0.0.1/32'], expected: ['outside', '10.0.0.0/32', '10.0.0.1/32'] },
    { prefixes: ['0.0.0.0/0'], expected: ['0.0.0.0/0'] },
    { prefixes: ['0.0.0.0/1', '128.0.0.0/1'], expected: ['0.0.0.0/1', '128.0.0.0/1'] },
    { prefixes: ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/2'], expected: ['0.0.0.0/0', '0.0.0.0/1', '128.0.0.0/2'] },
    { prefixes: ['::/0', 'fd00::/8'], expected: ['outside', '::/0', 'fd00::/8'] },
  ])('of $prefixes are $expected', ({ prefixes, expected }) => {
    expect(inhabited(prefixes)).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { DataplaneError } from '../../../../src/base/errors.ts';
import {
  acceptMissing,
  acceptReading,
  type ManifestState,
  type ResourceCheck,
} from '../../../../src/resources/sources/manifest-state.ts';

const GRACE = { vanishedMs: 200, truncatedMs: 1000 };
const tier = (name: string, order = 1): string =>
  `---\napiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: ${name}}\nspec: {order: ${order}}\n`;
const BOTH = tier('a') + tier('b');

function read(before: ManifestState | undefined, text: string, nowMs: number, check?: ResourceCheck): ManifestState {
  return acceptReading(before, { path: 'f.yaml', stamp: `${text.length} ${text}`, text }, check, nowMs, GRACE);
}

const inForce = (state: ManifestState | undefined): string[] | undefined =>
  state?.resources.map(({ name, spec }) => `${name}=${(spec as { order: number }).order}`);

describe('acceptReading', () => {
  it.each([
    ['empty', ''],
    ['blank', '\n\n'],
    ['cut at a document', tier('a')],
    ['cut inside a line', BOTH.slice(0, -4)],
    ['rewritten but unfinished', `${tier('c')}---\napiV`],
  ])('holds a file that is %s for a second', (_name, text) => {
    const good = read(undefined, BOTH, 0);
    const held = read(good, text, 100);
    expect(inForce(held)).toEqual(['a=1', 'b=1']);
    expect(inForce(read(held, text, 1099))).toEqual(['a=1', 'b=1']);
  });

  it('believes an empty file after a second', () => {
    const held = read(read(undefined, BOTH, 0), '', 100);
    expect(inForce(read(held, '', 1100))).toEqual([]);
  });

  it('counts the second from the last write', () => {
    const held = read(read(undefined, BOTH, 0), '', 100);
    const longer = read(held, tier('a'), 900);
    expect(inForce(read(longer, tier('a'), 1500))).toEqual(['a=1', 'b=1']);
    expect(inForce(read(longer, tier('a'), 1900))).toEqual(['a=1']);
  });

  it('believes a shorter file that is whole at once', () => {
    expect(inForce(read(read(undefined, BOTH, 0), tier('b', 2), 100))).toEqual(['b=2']);
  });

  it('believes an empty file at once when there was nothing before', () => {
    expect(read(undefined, '', 0)).toEqual({ stamp: '0 ', text: '', resources: [], errors: [] });
  });

  it('keeps everything of a file that does not parse, with the error', () => {
    const broken = read(
      read(undefined, BOTH, 0),
      `${tier('a', 2)}---\n}{\n# and some more text to be longer than before\n# .\n`,
      10,
    );
    expect(inForce(broken)).toEqual(['a=1', 'b=1']);
    expect(broken.errors).toMatchObject([{ code: 'YAML_SYNTAX' }]);
    expect(inForce(read(broken, BOTH.replaceAll('1}', '3}'), 20))).toEqual(['a=3', 'b=3']);
  });

  it('takes the good documents of a file that was never in force', () => {
    expect(inForce(read(undefined, `${tier('a')}---\n}{\n`, 0))).toEqual(['a=1']);
  });

  it('keeps the last good version of a refused object and takes its neighbours', () => {
    const refused = read(read(undefined, BOTH, 0), tier('a', 2) + tier('b').replace('1}', 'last}'), 10);
    expect(inForce(refused)).toEqual(['a=2', 'b=1']);
    expect(refused.errors).toMatchObject([{ code: 'INVALID_FIELD' }]);
  });

  it('drops an object that is removed while its neighbour is refused', () => {
    const state = read(
      read(undefined, BOTH + tier('c'), 0),
      tier('a') + tier('b').replace('1}', '"something longer than before"}'),
      10,
    );
    expect(inForce(state)).toEqual(['a=1', 'b=1']);
  });

  it('refuses what the check refuses', () => {
    const check: ResourceCheck = ({ name, spec }) =>
      name === 'b' && 'order' in spec && spec.order === 2
        ? [new DataplaneError('INVALID_SELECTOR', 'is bad', { operation: 'parse', target: 'tier b' })]
        : [];
    const good = read(undefined, BOTH, 0, check);
    const refused = read(good, tier('a', 2) + tier('b', 2), 10, check);
    expect(inForce(refused)).toEqual(['a=2', 'b=1']);
    expect(refused.errors).toMatchObject([{ code: 'INVALID_SELECTOR' }]);
  });
});

describe('acceptMissing', () => {
  it('forgets a file after its grace period', () => {
    const good = read(undefined, BOTH, 0);
    const missing = acceptMissing(good, 100, GRACE) as ManifestState;
    expect(inForce(missing)).toEqual(['a=1', 'b=1']);
    expect(inForce(acceptMissing(missing, 299, GRACE))).toEqual(['a=1', 'b=1']);
    expect(acceptMissing(missing, 300, GRACE)).toBeUndefined();
  });
});

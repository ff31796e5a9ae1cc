import { describe, expect, it } from 'vitest';
import { chooseLabels, formatTerms, identityOf } from '../../../../src/analysis/recommend/label-choice.ts';
import { matches } from '../../../../src/model/selector/evaluate.ts';
import { parseSelector } from '../../../../src/model/selector/parser.ts';
import { newSeed } from '../../../support/worlds/questions.ts';
import { Random } from '../../../support/worlds/random.ts';

type Given = Readonly<Record<string, string>>;
const labels = (given: Given): Map<string, string> => new Map(Object.entries(given));
const choose = (members: readonly Given[], others: readonly Given[]) => {
  const { terms, extra } = chooseLabels(members.map(labels), others.map(labels));
  return { text: formatTerms(terms), extra };
};

describe('chooseLabels', () => {
  it('takes what people give for good, before what controllers make up', () => {
    const pod = { 'pod-template-hash': '7d9', version: '2', app: 'web', team: 'x' };
    expect(choose([pod], [])).toEqual({ text: "app == 'web'", extra: 0 });
    expect(choose([pod], [{ app: 'api', 'pod-template-hash': '5c8' }]).text).toBe("app == 'web'");
    expect(choose([pod], [{ app: 'web', 'pod-template-hash': '5c8' }]).text).toBe("team == 'x'");
  });

  it('uses several values of one label, and labels that others have, where nothing else tells them apart', () => {
    expect(choose([{ app: 'a' }, { app: 'b' }], [{ app: 'c' }]).text).toBe("app in {'a', 'b'}");
    expect(choose([{ app: 'a' }], [{ app: 'a', role: 'canary' }]).text).toBe("app == 'a' && !has(role)");
  });

  it('counts those that no labels tell apart', () => {
    expect(choose([{ app: 'a' }], [{ app: 'a' }, { app: 'a' }, { app: 'b' }])).toEqual({
      text: "app == 'a'",
      extra: 2,
    });
    expect(choose([{}], [])).toEqual({ text: 'all()', extra: 0 });
  });

  it('names no label whose value cannot be quoted, nor those of namespaces', () => {
    const hostile = { app: "a'b", 'pcns.team': 'x', 'projectcalico.org/namespace': 'shop', role: 'r' };
    expect(choose([hostile], [{ app: 'c' }]).text).toBe("role == 'r'");
  });

  it('matches every member, and as many others as it says, by the evaluator of selectors', () => {
    const seed = newSeed('labels');
    for (let index = 0; index < 300; index++) {
      const random = new Random(seed, index);
      const one = (): Given =>
        Object.fromEntries(
          random.some(['app', 'role', 'team', 'x', 'y']).map((key) => [key, random.pick(['1', '2', '3'])]),
        );
      const members = random.list(1, 4, one);
      const others = random.list(0, 8, one);
      const { text, extra } = choose(members, others);
      const selector = parseSelector(text);
      const place = `${text} in case ${index} of seed ${seed}`;
      expect(
        members.every((member) => matches(selector, labels(member))),
        place,
      ).toBe(true);
      expect(others.filter((other) => matches(selector, labels(other))).length, place).toBe(extra);
    }
  });
});

describe('identityOf', () => {
  it('is what says what an application is, else all that is given for good', () => {
    expect(identityOf(labels({ team: 'x', app: 'web', 'app.kubernetes.io/name': 'w' }))).toEqual([
      ['app.kubernetes.io/name', 'w'],
      ['app', 'web'],
    ]);
    expect(identityOf(labels({ team: 'x', 'pod-template-hash': '1' }))).toEqual([['team', 'x']]);
  });
});

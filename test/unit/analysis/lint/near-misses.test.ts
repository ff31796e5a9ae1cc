import { describe, expect, it } from 'vitest';
import { describeMiss, NearMisses } from '../../../../src/analysis/lint/near-misses.ts';
import { parseSelector } from '../../../../src/model/selector/parser.ts';

const VOCABULARY = new Map([
  [
    'app',
    new Map([
      ['web', 3],
      ['api', 1],
      ['node-1', 1],
    ]),
  ],
  ['environment', new Map([['production', 1]])],
  ['pcns.team', new Map([['shop', 1]])],
]);

describe('near misses', () => {
  it.each<[string, string[]]>([
    ['app == "wbe"', ['no app is "wbe": did you mean "web"?']],
    ['app not in {"apii"}', ['no app is "apii": did you mean "api"?']],
    ['has(enviroment)', ['nothing has the label "enviroment": did you mean "environment"?']],
    ['enviroment == "production"', ['nothing has the label "enviroment": did you mean "environment"?']],
    ['pcns.team == "shpo"', ['no team is "shpo": did you mean "shop"?']],
    ['app == "web" && environment == "production"', []],
    ['app == "database"', []],
    ['app == "node-2"', []],
    ['app in {"web", "wbe"}', []],
    ['app starts with "wbe"', []],
  ])('of %s are %j', (selector, expected) => {
    expect(new NearMisses(VOCABULARY).in(parseSelector(selector)).map(describeMiss)).toEqual(expected);
  });
});

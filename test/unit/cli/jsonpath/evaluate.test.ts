// What kubectl 1.32 prints of the same object: `kubectl config view --raw -o jsonpath=...` was asked once for each.
import { describe, expect, it } from 'vitest';
import { evaluateTemplate } from '../../../../src/cli/jsonpath/evaluate.ts';
import { parseTemplate } from '../../../../src/cli/jsonpath/template.ts';

const CONFIG = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: null,
  users: [
    { name: 'a', user: {} },
    { name: 'b-c', user: { token: 'x' } },
  ],
  contexts: [
    { name: 'c1', context: { cluster: 'k1', user: 'a' } },
    { name: 'c2', context: { cluster: 'k2', user: 'b-c' } },
  ],
  'current-context': 'c1',
};

const AS_KUBECTL: readonly (readonly [template: string, prints: string])[] = [
  ['{.users[*].name}', 'a b-c'],
  ['{range .contexts[*]}{.name}{"\\t"}{.context.cluster}{"\\n"}{end}', 'c1\tk1\nc2\tk2\n'],
  ['{.contexts[?(@.context.user=="a")].name}', 'c1'],
  ['{.users}', '[{"name":"a","user":{}},{"name":"b-c","user":{"token":"x"}}]'],
  ['{.users[-1].name}', 'b-c'],
  ['{.contexts[*].context}', '{"cluster":"k1","user":"a"} {"cluster":"k2","user":"b-c"}'],
  ["{.contexts[*]['name']}", 'c1 c2'],
  ['{.users[0:1].name}', 'a'],
  ['{.users[0,1].name}', 'a b-c'],
  ['{$.kind}', 'Config'],
  ['{@.kind}', 'Config'],
  ['{ .kind }', 'Config'],
  ['{.contexts[?(@.context.user)].name}', 'c1 c2'],
  ["{.contexts[*]['name','context']}", 'c1 c2 {"cluster":"k1","user":"a"} {"cluster":"k2","user":"b-c"}'],
  ['{.users[0].user}', '{}'],
  ['{.clusters}', 'null'],
  ['{.users[?(@.user.token)].name}', 'b-c'],
  ['{.contexts.name}', ''],
  ['{.nothing}', ''],
  ['{.contexts[?(@.name>"c1")].name}', 'c2'],
  ['{.users[*].user.token}', 'x'],
  ['{.current-context}', 'c1'],
  ['a{.kind}b', 'aConfigb'],
];

const OWN: readonly (readonly [template: string, prints: string])[] = [
  ['{..cluster}', 'k1 k2'],
  ['{..token}', 'x'],
  ["{.contexts[?(@.name!='c1')].name}", 'c2'],
  ['{.users[::1].name}', 'a b-c'],
  ['{.contexts[*].context.*}', 'k1 a k2 b-c'],
  ['{range .users[*]}{range .user.token}[{@}]{end}{end}', '[x]'],
];

const REFUSED: readonly (readonly [template: string, says: string])[] = [
  ['{.a', 'found the end, expected the expression to end with }'],
  ['x', 'has no expression'],
  ['.kind', 'has no expression'],
  ['{.a}{end}', '{end} ends nothing'],
  ['{range .a}{.b}', '{range} is not ended'],
  ['{*}', 'found "*}"'],
  ['{.users[*]["name"]}', 'found "'],
  ['{.contexts[?(@.name=="c1" && @.name=="c2")].name}', 'found "&& '],
  ['{.kind .name}', 'found " .name}"'],
  ['{.a[]}', 'expected one of [N]'],
  ['{"a}', 'to end the text'],
  ['{}', 'expected a path'],
];

describe('jsonpath', () => {
  it.each([...AS_KUBECTL, ...OWN])('%s prints %j', (template, prints) => {
    expect(evaluateTemplate(parseTemplate(template), CONFIG)).toBe(prints);
  });

  it('finds fields with dots in their names', () => {
    const object = { metadata: { annotations: { 'tortie.io/file': 'lab.yaml:1' } } };
    const text = evaluateTemplate(parseTemplate('{.metadata.annotations.tortie\\.io/file}'), object);
    expect(text).toBe('lab.yaml:1');
  });

  it.each(REFUSED)('refuses %s', (template, says) => {
    expect(() => parseTemplate(template)).toThrow(
      expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(says) }),
    );
  });

  it('refuses an item that a list does not have', () => {
    expect(() => evaluateTemplate(parseTemplate('{.users[9].name}'), CONFIG)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', message: expect.stringContaining('index 9') }),
    );
  });

  it('leaves prototypes alone', () => {
    expect(evaluateTemplate(parseTemplate('{.constructor}{.__proto__}'), {})).toBe('');
  });
});

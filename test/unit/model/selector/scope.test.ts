import { describe, expect, it } from 'vitest';
import { formatSelector } from '../../../../src/model/selector/canonical.ts';
import { parseSelector } from '../../../../src/model/selector/parser.ts';
import { type EntityScope, scopeEntity, scopePolicy } from '../../../../src/model/selector/scope.ts';

const parse = (text: string | undefined) => (text === undefined ? undefined : parseSelector(text));

describe('scopePolicy', () => {
  it.each([
    ['a namespaced policy without selector', { namespace: 'web' }, 'projectcalico.org/namespace == "web"'],
    [
      'a namespaced policy',
      { namespace: 'web', selector: 'has(a)' },
      '(has(a) && projectcalico.org/namespace == "web")',
    ],
    ['a global policy without selector', {}, 'all()'],
    [
      'a service-account selector',
      { serviceAccountSelector: 'role == "x" && has(y)' },
      '(pcsa.role == "x" && has(pcsa.y))',
    ],
    ['any service account', { serviceAccountSelector: 'all()' }, 'has(projectcalico.org/serviceaccount)'],
    ['a namespace selector', { selector: 'has(a)', namespaceSelector: '!has(b)' }, '(has(a) && !has(pcns.b))'],
    ['any namespace', { selector: 'all()', namespaceSelector: 'all()' }, 'has(projectcalico.org/namespace)'],
  ])('scopes %s', (_name, scope: Record<string, string | undefined>, expected) => {
    const selector = scopePolicy({
      namespace: scope.namespace,
      selector: parse(scope.selector),
      namespaceSelector: parse(scope.namespaceSelector),
      serviceAccountSelector: parse(scope.serviceAccountSelector),
    });
    expect(formatSelector(selector)).toBe(expected);
  });
});

describe('scopeEntity', () => {
  const own = 'projectcalico.org/namespace == "web"';
  const cases: readonly (readonly [string, EntityScope, { selector?: string; notSelector?: string }])[] = [
    ['nothing in a namespaced policy', { namespace: 'web' }, {}],
    [
      'a selector in a namespaced policy',
      { namespace: 'web', selector: parse('has(a)') },
      { selector: `(${own} && has(a))` },
    ],
    [
      'a notSelector alone in a namespaced policy',
      { namespace: 'web', notSelector: parse('has(a)') },
      { selector: `(${own} && !has(a))` },
    ],
    ['a notSelector alone in a global policy', { notSelector: parse('has(a)') }, { notSelector: 'has(a)' }],
    [
      'both selectors',
      { selector: parse('has(a)'), notSelector: parse('has(b)') },
      { selector: '(has(a) && !has(b))' },
    ],
    ['all() in a global policy', { selector: parse('all()') }, { selector: 'all()' }],
    ['all() and a notSelector', { selector: parse('all()'), notSelector: parse('has(b)') }, { selector: '!has(b)' }],
    [
      'a namespace selector',
      { namespace: 'web', namespaceSelector: parse('env == "p"') },
      { selector: 'pcns.env == "p"' },
    ],
    [
      'a namespace selector and a selector',
      { namespace: 'web', namespaceSelector: parse('env == "p"'), selector: parse('has(a)') },
      { selector: '(pcns.env == "p" && has(a))' },
    ],
    [
      'every namespace',
      { namespace: 'web', namespaceSelector: parse('all()') },
      { selector: 'has(projectcalico.org/namespace)' },
    ],
    [
      'no namespace',
      { namespace: 'web', namespaceSelector: parse('global()') },
      { selector: '!has(projectcalico.org/namespace)' },
    ],
    [
      'service accounts by name and selector',
      { namespace: 'web', serviceAccounts: { names: ['b', 'a'], selector: parse('has(x)') } },
      { selector: `(${own} && projectcalico.org/serviceaccount in {"a", "b"} && has(pcsa.x))` },
    ],
    [
      'empty service accounts in a namespaced policy',
      { namespace: 'web', serviceAccounts: { names: [] } },
      { selector: own },
    ],
    ['empty service accounts in a global policy', { serviceAccounts: { names: [] } }, {}],
  ];

  it.each(cases)('scopes %s', (_name, scope, expected) => {
    const { selector, notSelector } = scopeEntity(scope);
    expect({
      ...(selector === undefined ? {} : { selector: formatSelector(selector) }),
      ...(notSelector === undefined ? {} : { notSelector: formatSelector(notSelector) }),
    }).toEqual(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { describeSelector } from '../../../src/analysis/describe-selector.ts';
import { equals } from '../../../src/model/selector/construct.ts';
import { parseSelector } from '../../../src/model/selector/parser.ts';
import { type EntityScope, scopeEntity } from '../../../src/model/selector/scope.ts';

interface Scope extends Omit<EntityScope, 'selector' | 'namespaceSelector'> {
  readonly labels?: string;
  readonly namespaces?: string;
}

function described({ labels, namespaces, ...rest }: Scope): string {
  const { selector } = scopeEntity({
    ...rest,
    selector: labels === undefined ? undefined : parseSelector(labels),
    namespaceSelector: namespaces === undefined ? undefined : parseSelector(namespaces),
  });
  return selector === undefined ? 'none' : describeSelector(selector);
}

describe('a selector in words', () => {
  it.each<[Scope, string]>([
    [{ labels: 'app == "web"' }, 'with app == "web"'],
    [{ labels: 'app == "web"', namespace: 'shop' }, 'with app == "web" in namespace shop'],
    [{ labels: 'all()', namespace: 'shop' }, 'in namespace shop'],
    [{ labels: 'all()' }, ''],
    [{ namespaces: 'all()' }, 'in any namespace'],
    [{ namespaces: 'global()' }, 'in no namespace'],
    [{ namespaces: 'team == "a"' }, 'in namespaces with team == "a"'],
    [{ namespaces: 'projectcalico.org/name in {"a", "b"}' }, 'in namespaces a, b'],
    [
      { namespaces: 'kubernetes.io/metadata.name == "a"', labels: 'has(x) && y != "z"' },
      'with has(x) && y != "z" in namespace a',
    ],
    [{ serviceAccounts: { names: ['robot'] }, namespace: 'shop' }, 'of service account robot in namespace shop'],
    [
      { serviceAccounts: { names: [], selector: parseSelector('role == "x"') } },
      'of service accounts with role == "x"',
    ],
  ])('%j reads %s', (scope, expected) => {
    expect(described(scope)).toBe(expected);
  });

  it('does not mention that pods are pods', () => {
    expect(describeSelector(equals('projectcalico.org/orchestrator', 'k8s'))).toBe('');
  });
});

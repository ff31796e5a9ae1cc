import { describe, expect, it } from 'vitest';
import {
  ANY_NAME,
  GLOBAL_POLICY_NAME,
  isInterfaceName,
  LABEL_NAME,
  NAMESPACED_POLICY_NAME,
  SUBDOMAIN_NAME,
} from '../../../src/resources/names.ts';

const RULES = {
  SUBDOMAIN_NAME,
  LABEL_NAME,
  NAMESPACED_POLICY_NAME,
  GLOBAL_POLICY_NAME,
  ANY_NAME,
};
const accepting = (name: string): string[] =>
  Object.entries(RULES).flatMap(([rule, { accepts }]) => (accepts(name) ? [rule] : []));

const DOTTED = ['SUBDOMAIN_NAME', 'NAMESPACED_POLICY_NAME', 'GLOBAL_POLICY_NAME', 'ANY_NAME'];
const EVERY = ['SUBDOMAIN_NAME', 'LABEL_NAME', 'NAMESPACED_POLICY_NAME', 'GLOBAL_POLICY_NAME', 'ANY_NAME'];

describe('a name', () => {
  it.each([
    ['a', EVERY],
    ['a-1', EVERY],
    ['1', EVERY],
    ['n'.repeat(63), EVERY],
    ['a.b', DOTTED],
    ['default.allow-dns', DOTTED],
    ['n'.repeat(64), DOTTED],
    ['n'.repeat(253), DOTTED],
    ['a.b.c', ['SUBDOMAIN_NAME', 'ANY_NAME']],
    ['knp.default.a.b.c', ['SUBDOMAIN_NAME', 'NAMESPACED_POLICY_NAME', 'ANY_NAME']],
    ['ossg.default.5c8e4bd3', ['SUBDOMAIN_NAME', 'NAMESPACED_POLICY_NAME', 'ANY_NAME']],
    ['A', ['ANY_NAME']],
    ['a_b', ['ANY_NAME']],
    ['-a', ['ANY_NAME']],
    ['a-', ['ANY_NAME']],
    ['a..b', ['ANY_NAME']],
    ['.a', ['ANY_NAME']],
    ['n1-openstack-openstack%2f1-eth0', ['ANY_NAME']],
    ['n'.repeat(254), []],
    ['', []],
  ])('%.40j is accepted by %j', (name, rules) => {
    expect(accepting(name)).toEqual(rules);
  });

  it.each([
    ['eth0', true],
    ['cali0123456789a', true],
    ['br-1.2_x', true],
    ['', false],
    ['*', false],
    ['cali0123456789ab', false],
    ['a/b', false],
    ['a:0', false],
  ])('%j of an interface: %s', (name, isAccepted) => {
    expect(isInterfaceName(name)).toBe(isAccepted);
  });
});

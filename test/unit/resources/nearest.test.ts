import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/resources/nearest.ts';

describe('nearestName', () => {
  it.each([
    ['slector', 'selector'],
    ['form', 'from'],
    ['INGRESS', 'ingress'],
    ['notport', 'notPorts'],
    ['x', undefined],
    ['completelydifferent', undefined],
  ])('finds for %s %s', (name, nearest) => {
    expect(nearestName(name, ['selector', 'from', 'ingress', 'ports', 'notPorts'])).toBe(nearest);
  });
});

import { describe, expect, it } from 'vitest';
import { chooseKernel, compareAbis, parsePackages, parseRequest } from '../../../../tools/vm/kernel-choice.ts';

const image = (abi: string, ...parts: string[]) => ({
  name: `linux-image-${abi}`,
  depends: ['kmod', ...parts.map((part) => `linux-${part}-${abi}`)],
});
const part = (name: string, abi: string) => ({ name: `linux-${name}-${abi}`, depends: [] });

describe('the choice of a kernel', () => {
  it('is the newest by number, not by letter', () => {
    const offered = ['6.12.9+deb13-amd64', '6.12.107+deb12-amd64', '6.12.107+deb13-amd64'].map((abi) => image(abi));
    expect(chooseKernel('6.12', offered)?.abi).toBe('6.12.107+deb13-amd64');
  });

  it('passes over kernels whose parts are not all on offer', () => {
    const offered = [
      image('6.19.14+deb13-amd64', 'binary', 'modules'),
      part('binary', '6.19.14+deb13-amd64'),
      image('6.18.15+deb13-amd64'),
    ];
    expect(chooseKernel('6', offered)?.abi).toBe('6.18.15+deb13-amd64');
  });

  it('names all parts of a kernel that is split', () => {
    const abi = '7.3.4+deb13-amd64';
    const offered = [image(abi, 'binary', 'modules'), part('binary', abi), part('modules', abi)];
    expect(chooseKernel('7', offered)?.packages).toEqual([
      `linux-image-${abi}`,
      `linux-binary-${abi}`,
      `linux-modules-${abi}`,
    ]);
  });

  it.each(['6.1.0-56-cloud-amd64', '6.1.0-56-rt-amd64', '6.1.0-56-amd64-unsigned', '6.12.9-amd64'])(
    'is not %s for 6.1',
    (abi) => {
      expect(chooseKernel('6.1', [image(abi)])).toBeUndefined();
    },
  );

  it('prefers a release to its backport', () => {
    expect(compareAbis('6.1.0-56-amd64', '6.1.0-0.deb11.52-amd64')).toBeGreaterThan(0);
  });
});

it.each(['', 'six', '6.', '6.1.2', '6;ls', '../6'])('refuses %j as a version', (text) => {
  expect(() => parseRequest(text)).toThrow('expected a version');
});

it('reads names and dependencies of packages', () => {
  const text = 'Package: a\nDepends: b (= 1), c:any | d\n\nPackage: e\nVersion: 1\n';
  expect(parsePackages(text)).toEqual([
    { name: 'a', depends: ['b', 'c', 'd'] },
    { name: 'e', depends: [] },
  ]);
});

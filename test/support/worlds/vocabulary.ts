// The small vocabulary that generated worlds are made of: few words, so that selectors, sets and ports often meet.
import fc from 'fast-check';

export const NAMESPACES = ['nsa', 'nsb', 'nsc'] as const;
export const LABELS = ['app', 'role', 'env'] as const;
export const VALUES = ['web', 'api', 'db', ''] as const;
export const PORT_NAMES = ['http', 'dns', 'metrics'] as const;
export const SERVICE_ACCOUNTS = ['default', 'builder'] as const;
export const SERVICES = ['svc', 'svc-two'] as const;
export const TIERS = ['first', 'second', 'default', 'missing'] as const;

/** Numbers at the edges of everything that has edges. */
export const PORTS = [1, 2, 53, 79, 80, 81, 443, 1023, 1024, 8080, 32767, 65534, 65535] as const;
export const ICMP_TYPES = [0, 3, 8, 11, 128, 129, 131, 135, 254] as const;

export const labels = fc.dictionary(fc.constantFrom(...LABELS), fc.constantFrom(...VALUES), {
  maxKeys: 3,
  noNullPrototype: true,
});

export const port = fc.constantFrom(...PORTS);

/** Addresses in four small neighbourhoods a family, so that nested prefixes contain some of them. */
export const v4Address = fc
  .tuple(
    fc.constantFrom('10.1.0', '10.1.1', '10.1.255', '172.16.0'),
    fc.constantFrom(0, 1, 2, 63, 64, 65, 127, 128, 254, 255),
  )
  .map(([net, host]) => `${net}.${host}`);
export const v6Address = fc
  .tuple(
    fc.constantFrom('fd00:1:0:0', 'fd00:1:0:1', 'fd00:1:ff:0', '2001:db8:0:0'),
    fc.constantFrom('0', '1', '2', '40', '80', 'ff', '100', 'ffff'),
  )
  .map(([net, host]) => `${net}::${host}`);

export const v4Cidr = fc.constantFrom(
  '0.0.0.0/0',
  '0.0.0.0/1',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '10.1.0.0/17',
  '10.1.0.0/23',
  '10.1.1.0/24',
  '10.1.0.64/26',
  '10.1.0.0/31',
  '10.1.1.64/32',
  '172.16.0.0/12',
  '172.16.0.255/32',
  '255.255.255.255/32',
);
export const v6Cidr = fc.constantFrom(
  '::/0',
  '8000::/1',
  'fd00::/8',
  'fd00:1::/32',
  'fd00:1::/47',
  'fd00:1:0:1::/64',
  'fd00:1:0:0::40/122',
  'fd00:1::/127',
  'fd00:1:ff::1/128',
  '2001:db8::/32',
  '2001:db8::ffff/128',
);

const comparison = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(...LABELS),
      fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'),
      fc.constantFrom(...VALUES),
    )
    .map(([label, operator, value]) => `${label} ${operator} "${value}"`),
  fc
    .tuple(
      fc.constantFrom(...LABELS),
      fc.constantFrom('in', 'not in'),
      fc.array(fc.constantFrom(...VALUES), { maxLength: 2 }),
    )
    .map(([label, operator, values]) => `${label} ${operator} {${values.map((value) => `"${value}"`).join(', ')}}`),
  fc.constantFrom(...LABELS).map((label) => `has(${label})`),
  fc.constantFrom(
    'all()',
    'all()',
    'has(app)',
    'projectcalico.org/namespace == "nsa"',
    'has(projectcalico.org/namespace)',
    'pcns.env == "web"',
  ),
);

/** Selector text of every operator, nested a little. */
export const selector: fc.Arbitrary<string> = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    comparison,
    tie('tree').map((inner) => `!(${inner})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} && ${b})`),
    fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => `(${a} || ${b})`),
  ),
})).tree;

export const namespaceSelector = fc.oneof(
  fc.constantFrom(
    'all()',
    'global()',
    'projectcalico.org/name == "nsa"',
    'kubernetes.io/metadata.name in {"nsb", "nsc"}',
  ),
  comparison.filter((text) => !text.includes('projectcalico.org') && !text.includes('pcns')),
);

/** A value in so many of ten cases, else nothing. */
export function maybe<T>(arbitrary: fc.Arbitrary<T>, ofTen = 3): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: ofTen, arbitrary }, { weight: 10 - ofTen, arbitrary: fc.constant(undefined) });
}

/** The object without its undefined members. */
export function defined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

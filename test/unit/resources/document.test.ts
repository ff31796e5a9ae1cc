import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';

const policy = (name: string, spec = 'selector: all()'): string =>
  `apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata:\n  name: ${name}\nspec:\n  ${spec}\n`;

describe('parseDocuments', () => {
  it('reads several documents with their lines', () => {
    const text = `# head\n---\n${policy('a')}---\n\n${policy('b')}`;
    const { resources, errors } = parseDocuments(text, 'p.yaml');
    expect(errors).toEqual([]);
    expect(resources.map(({ id, location }) => [id, location])).toEqual([
      ['NetworkPolicy/default/a', { file: 'p.yaml', line: 3 }],
      ['NetworkPolicy/default/b', { file: 'p.yaml', line: 11 }],
    ]);
    expect(resources[1]?.lineOf(['spec', 'selector'])).toBe(16);
    expect(resources[1]?.lineOf(['spec', 'ingress', 0, 'action'])).toBe(15);
  });

  it('reads JSON, and finds lines in it', () => {
    const text = JSON.stringify(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web', labels: { a: 'b' } } },
      null,
      2,
    );
    const [resource] = parseDocuments(text, 'n.json').resources;
    expect(resource).toMatchObject({ id: 'Namespace//web', metadata: { labels: { a: 'b' } } });
    expect(resource?.lineOf(['metadata', 'labels', 'a'])).toBe(7);
  });

  it('takes lists apart, whatever their kind', () => {
    const item = 'apiVersion: v1\n  kind: Namespace\n  metadata: {name: a}';
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${item}\n`;
    const bare = 'apiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: b}\n- metadata: {name: c}\n';
    const { resources, errors } = parseDocuments(`${list}---\n${bare}`, 'l.yaml');
    expect(errors).toEqual([]);
    expect(resources.map(({ id, location }) => `${id} ${location.line}`)).toEqual([
      'Namespace//a 4',
      'Namespace//b 11',
      'Namespace//c 12',
    ]);
  });

  it('reads crd.projectcalico.org/v1 as an alias of projectcalico.org/v3', () => {
    const [resource] = parseDocuments(
      policy('a').replace('projectcalico.org/v3', 'crd.projectcalico.org/v1'),
      'f',
    ).resources;
    expect(resource).toMatchObject({ type: 'NetworkPolicy', id: 'NetworkPolicy/default/a' });
  });

  it('resolves anchors, aliases and merge keys', () => {
    const text = policy('a', 'ingress:\n  - &r {action: Allow}\n  - <<: *r\n    protocol: TCP');
    expect(parseDocuments(text, 'f').resources[0]?.spec).toEqual({
      ingress: [{ action: 'Allow' }, { action: 'Allow', protocol: 'TCP' }],
    });
  });

  it('treats null as absent, but not as a label value', () => {
    expect(parseDocuments(policy('a', 'ingress:\n  egress: ~'), 'f')).toMatchObject({
      errors: [],
      resources: [{ spec: {} }],
    });
    const { errors } = parseDocuments('apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {x: }}', 'f');
    expect(errors[0]).toMatchObject({ code: 'INVALID_FIELD', field: 'metadata.labels.x' });
  });

  it('ignores empty documents, a byte order mark and Windows line ends', () => {
    const text = `\ufeff---\n---\n# nothing\n---\n${policy('a')}`;
    expect(parseDocuments(text, 'f')).toMatchObject({ errors: [], resources: [{ name: 'a' }] });
    expect(parseDocuments(policy('a').replaceAll('\n', '\r\n'), 'f')).toMatchObject({
      errors: [],
      resources: [{ name: 'a' }],
    });
  });

  it('understands directives and end markers', () => {
    const text = `%YAML 1.2\n---\n${policy('a')}...\n---\n${policy('b')}`;
    const { resources, errors } = parseDocuments(text, 'f');
    expect(errors).toEqual([]);
    expect(resources.map(({ name, location }) => [name, location.line])).toEqual([
      ['a', 3],
      ['b', 11],
    ]);
  });

  it('goes on after a document that is not well-formed', () => {
    const { resources, errors, isIncomplete } = parseDocuments(
      `${policy('a')}---\na: [1\n---\n${policy('b')}`,
      'f.yaml',
    );
    expect(resources.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(errors).toMatchObject([{ code: 'YAML_SYNTAX', file: 'f.yaml' }]);
    expect(errors[0]?.line).toBeGreaterThanOrEqual(8);
    expect(isIncomplete).toBe(true);
  });

  it('names the objects that it refuses', () => {
    const result = parseDocuments(policy('a', 'order: first'), 'f');
    expect(result).toMatchObject({ resources: [], refused: ['NetworkPolicy/default/a'], isIncomplete: false });
  });

  it('refuses a document whose aliases explode', () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 9; level++)
      lines.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    expect(parseDocuments(lines.join('\n'), 'f').errors).toMatchObject([
      { code: 'YAML_SYNTAX', message: expect.stringContaining('alias') },
    ]);
  });

  it('refuses a document that is nested without end', () => {
    const { errors } = parseDocuments(`a: ${'['.repeat(20_000)}`, 'f');
    expect(errors).toMatchObject([{ code: 'YAML_SYNTAX' }]);
  });
});

describe('errors of parseDocuments', () => {
  const head = 'apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: dns, namespace: web}\n';
  const rule = (text: string): string => `${head}spec:\n  egress:\n  - action: Allow\n    protocol: TCP\n${text}`;

  it.each([
    ['a scalar', '42', 'INVALID_FIELD', 'document: is not an object: found 42, expected a mapping'],
    ['a list', '- a', 'INVALID_FIELD', 'found ["a"], expected a mapping'],
    ['no kind', 'apiVersion: v1', 'MISSING_FIELD', 'document: kind: is missing'],
    ['an unknown kind', 'apiVersion: v1\nkind: Pood', 'UNKNOWN_KIND', 'found v1 Pood (did you mean v1 Pod?)'],
    [
      'a name that is missing',
      'apiVersion: v1\nkind: Pod\nmetadata: {}',
      'MISSING_FIELD',
      'pod default/(unnamed): metadata.name: is missing, expected text',
    ],
    [
      'an unknown field',
      `${head}spec:\n  slector: a`,
      'UNKNOWN_FIELD',
      'f:5: parse networkpolicy web/dns: spec.slector: unknown field (did you mean selector?)',
    ],
    [
      'an unknown field of a rule',
      rule('    sorce: {}'),
      'UNKNOWN_FIELD',
      'f:8: parse networkpolicy web/dns: spec.egress[0].sorce: unknown field (did you mean source?)',
    ],
    [
      'an unknown action',
      rule('').replace('Allow', 'Alow'),
      'INVALID_FIELD',
      'f:6: parse networkpolicy web/dns: spec.egress[0].action: invalid value: found "Alow", expected one of Allow, Deny, Log, Pass (did you mean Allow?)',
    ],
    [
      'a port out of range',
      rule('    destination:\n      ports:\n      - 80\n      - 70000'),
      'INVALID_FIELD',
      'f:11: parse networkpolicy web/dns: spec.egress[0].destination.ports[1]: port range invalid, port number must be between 1 and 65535: found 70000, expected a port number between 1 and 65535',
    ],
    [
      'a port range upside down',
      rule('    destination: {ports: ["90:80"]}'),
      'INVALID_FIELD',
      'expected a range whose first port is not above its last',
    ],
    ['a port name with capitals', rule('    destination: {ports: [HTTP]}'), 'INVALID_FIELD', 'ports[0]'],
    ['port 0', rule('    destination: {ports: ["0:80"]}'), 'INVALID_FIELD', 'a port number between 1 and 65535'],
    [
      'a CIDR with host bits',
      rule('    source: {nets: [10.0.0.1/8]}'),
      'INVALID_FIELD',
      'found "10.0.0.1/8", expected a CIDR',
    ],
    [
      'a bare address among nets',
      rule('    source: {nets: [10.0.0.1]}'),
      'INVALID_FIELD',
      'found "10.0.0.1", expected a CIDR',
    ],
    ['protocol 0', rule('').replace('TCP', '0'), 'INVALID_FIELD', 'found 0, expected a number 1-255 or one of TCP'],
    ['an unknown protocol', rule('').replace('TCP', 'TPC'), 'INVALID_FIELD', 'found "TPC"'],
    ['an ipVersion that is none', rule('    ipVersion: 5'), 'INVALID_FIELD', 'found 5, expected 4 or 6'],
    ['ICMP type 255', rule('    icmp: {type: 255}'), 'INVALID_FIELD', 'found 255, expected at most 254'],
    [
      'a number as label',
      'apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {v: 1}}',
      'INVALID_FIELD',
      'metadata.labels.v: invalid value: found 1, expected text (quote it)',
    ],
    [
      'a selector that is too long',
      `${head}spec: {selector: "${'a'.repeat(1025)}"}`,
      'INVALID_FIELD',
      'found 1025 characters, expected at most 1024 characters',
    ],
    [
      'a type that is none',
      `${head}spec: {types: [ingress]}`,
      'INVALID_FIELD',
      'expected one of Ingress, Egress (did you mean Ingress?)',
    ],
    [
      'a policy name with capitals',
      head.replace('dns', 'DNS'),
      'INVALID_FIELD',
      'metadata.name: invalid name: found DNS',
    ],
    ['a policy name of three parts', head.replace('dns', 'a.b.c'), 'INVALID_FIELD', 'metadata.name: invalid name'],
    [
      'a tier name with a dot',
      'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a.b}',
      'INVALID_FIELD',
      'metadata.name: invalid name',
    ],
    [
      'a namespace on a cluster-wide kind',
      'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: a, namespace: b}',
      'INVALID_FIELD',
      'metadata.namespace: Tier is cluster-wide',
    ],
  ])('describe %s', (_name, text, code, message) => {
    const { errors, resources } = parseDocuments(text, 'f');
    expect(resources).toEqual([]);
    expect(errors.map((error) => [error.code, error.message])).toContainEqual([code, expect.stringContaining(message)]);
  });

  it.each(['knp.default.a.b.c', 'ossg.default.x', 'a.b', 'default.allow'])(
    'do not concern the policy name %s',
    (name) => {
      expect(parseDocuments(head.replace('dns', name), 'f').errors).toEqual([]);
    },
  );
});

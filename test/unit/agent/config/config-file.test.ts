import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../../../src/agent/config/config-file.ts';

const read = (text: string) => parseConfigFile(text, 'tortie.yaml');
const messages = (text: string) => read(text).errors.map(({ code, message }) => `${code} ${message}`);

describe('the configuration file', () => {
  it('gives values with the lines they stand on', () => {
    const { layer, errors } = read('# first\nnode: n1\nmaxFlows: 4096\nlimits:\n  # many\n  rules: 7\n');
    expect(errors).toEqual([]);
    expect(Object.fromEntries(layer)).toEqual({
      node: { value: 'n1', origin: 'tortie.yaml:2' },
      maxFlows: { value: 4096, origin: 'tortie.yaml:3' },
      'limits.rules': { value: 7, origin: 'tortie.yaml:6' },
    });
  });

  it.each(['', '# nothing\n', '---\n', 'limits:\n'])('may say nothing: %j', (text) => {
    expect(read(text)).toEqual({ layer: new Map(), errors: [] });
  });

  it.each([
    [
      'evntBudget: 1',
      'UNKNOWN_FIELD tortie.yaml:1: read configuration: evntBudget: no such setting (did you mean eventBudget?)',
    ],
    [
      'node: n\nlimits:\n  rule: 1',
      'UNKNOWN_FIELD tortie.yaml:3: read configuration: limits.rule: no such setting (did you mean rules?)',
    ],
    [
      'state-dir: /x',
      'UNKNOWN_FIELD tortie.yaml:1: read configuration: state-dir: no such setting (docs/configuration.md has all of them)',
    ],
    [
      'attach: xdp',
      'INVALID_FIELD tortie.yaml:1: read configuration: attach: invalid value: found "xdp", expected auto or tcx or clsact',
    ],
    [
      'node: [a]',
      'INVALID_FIELD tortie.yaml:1: read configuration: node: invalid value: found a list or mapping, expected the name of a node, or *',
    ],
    [
      'node:',
      'INVALID_FIELD tortie.yaml:1: read configuration: node: invalid value: found null, expected the name of a node, or *',
    ],
    [
      'limits: 3',
      'INVALID_FIELD tortie.yaml:1: read configuration: limits: invalid value, expected a mapping of limits by name',
    ],
    [
      '- a',
      'INVALID_FIELD tortie.yaml:1: read configuration: is not a mapping, expected settings by name: docs/configuration.md',
    ],
  ])('refuses %j', (text, message) => {
    expect(messages(text)).toEqual([message]);
  });

  it('names every mistake, not only the first', () => {
    expect(messages('evntBudget: 1\nattach: xdp\n')).toHaveLength(2);
  });

  it.each(['node: a\nnode: b\n', 'node: [', 'node: "'])('refuses what is no YAML: %j', (text) => {
    expect(read(text).errors[0]?.code).toBe('YAML_SYNTAX');
  });
});

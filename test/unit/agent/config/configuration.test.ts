import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Configuration } from '../../../../src/agent/config/configuration.ts';
import type { FelixConfiguration } from '../../../../src/agent/config/felix.ts';
import { Logger } from '../../../../src/base/log.ts';

const quiet = new Logger({ level: 'error', write: () => undefined });

describe('the configuration', () => {
  let folder: string;
  let file: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-config-'));
    file = join(folder, 'tortie.yaml');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function read(felix: readonly FelixConfiguration[] = [], environment: Record<string, string> = {}): Configuration {
    const flags = new Map([['stateDirectory', { value: folder, origin: '--state-dir' }]]);
    return Configuration.read({ flags, environment, file: { path: file, isRequired: false } }, () => felix);
  }

  function value(configuration: Configuration, name: string): unknown {
    return configuration.settings.get(name)?.value;
  }

  it('changes what may change, and keeps the rest for the next start', () => {
    writeFileSync(file, 'eventBudget: 1\nnode: a\n');
    const configuration = read();
    writeFileSync(file, 'eventBudget: 2\nnode: b\n');
    expect(configuration.reload()).toEqual(['eventBudget']);
    expect([value(configuration, 'eventBudget'), value(configuration, 'node')]).toEqual([2, 'a']);
    expect(configuration.pending).toEqual(['node']);
    const node = configuration.report().settings.find(({ name }) => name === 'node');
    expect(node).toMatchObject({ value: 'a', pending: { value: 'b', source: 'file', origin: `${file}:2` } });
    expect(value(read(), 'node')).toBe('b');
  });

  it('has nothing pending once the file is as it was', () => {
    writeFileSync(file, 'node: a\n');
    const configuration = read();
    writeFileSync(file, 'node: b\n');
    configuration.reload();
    writeFileSync(file, 'node: a\n');
    configuration.reload();
    expect(configuration.pending).toEqual([]);
  });

  it('stays as it was when the file cannot be used, whatever else the file says', () => {
    writeFileSync(file, 'eventBudget: 1\n');
    const configuration = read();
    writeFileSync(file, 'eventBudget: 2\nnoed: b\n');
    expect(configuration.reload()).toEqual([]);
    expect(value(configuration, 'eventBudget')).toBe(1);
    expect(configuration.report()).toMatchObject({ isFileUsed: false, errors: [{ code: 'UNKNOWN_FIELD' }] });
    writeFileSync(file, 'eventBudget: 3\n');
    expect(configuration.reload()).toEqual(['eventBudget']);
    expect(configuration.errors).toEqual([]);
  });

  it('stays as it was when settings are in order one by one but not together', () => {
    writeFileSync(file, 'eventBudget: 1\n');
    const configuration = read();
    writeFileSync(file, 'eventBudget: 2\napiAddress: 127.0.0.1:7443\n');
    expect(configuration.reload()).toEqual([]);
    expect(configuration.errors.map(({ code, field }) => [code, field])).toEqual([
      ['MISSING_FIELD', 'apiCertificate'],
      ['MISSING_FIELD', 'apiKey'],
      ['MISSING_FIELD', 'apiClientAuthority'],
    ]);
    expect(() => read()).toThrow(`apiCertificate: is needed for a listener for other machines`);
  });

  it('takes what belongs together from several sources', () => {
    writeFileSync(file, 'apiAddress: 127.0.0.1:7443\napiClientAuthority: ca.pem\n');
    expect(() => read([], { TORTIE_API_KEY: 'k' })).toThrow('apiCertificate');
    expect(read([], { TORTIE_API_KEY: 'k', TORTIE_API_CERTIFICATE: 'c' }).errors).toEqual([]);
  });

  it('does not start on a file that never was good', () => {
    writeFileSync(file, 'noed: b\n');
    expect(() => read()).toThrow('did you mean node?');
  });

  it('starts with the last good version of a file that has been broken since', () => {
    writeFileSync(file, 'eventBudget: 7\n');
    read().remember(quiet);
    writeFileSync(file, 'eventBudget: [\n');
    const configuration = read();
    expect(value(configuration, 'eventBudget')).toBe(7);
    expect(configuration.report()).toMatchObject({ isFileUsed: false, errors: [{ code: 'YAML_SYNTAX' }] });
  });

  it('does not fall back on the copy of another file', () => {
    writeFileSync(file, 'eventBudget: 7\n');
    read().remember(quiet);
    file = join(folder, 'other.yaml');
    writeFileSync(file, 'eventBudget: [\n');
    expect(() => read()).toThrow('read configuration');
  });

  it('does not start with an environment that cannot be used', () => {
    expect(() => read([], { TORTIE_ATTACH: 'xdp' })).toThrow('TORTIE_ATTACH: invalid value');
  });

  it('goes by FelixConfigurations below the file, and follows them', () => {
    writeFileSync(file, 'logLevel: error\n');
    const felix = (interfacePrefix: string) => [
      { name: 'default', spec: { interfacePrefix, logSeverityScreen: 'Debug' } },
    ];
    const configuration = read(felix('tap'));
    expect([value(configuration, 'interfacePrefix'), value(configuration, 'logLevel')]).toEqual(['tap', 'error']);
    expect(configuration.setFelix(felix('eni'))).toEqual(['interfacePrefix']);
    expect(value(configuration, 'interfacePrefix')).toBe('eni');
    expect(configuration.setFelix([])).toEqual(['interfacePrefix']);
    expect(value(configuration, 'interfacePrefix')).toBe('cali');
  });
});

// What people are shown of the configuration file is read as the agent reads its own.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findListenerErrors } from '../../../../src/agent/config/api-listener.ts';
import { parseConfigFile } from '../../../../src/agent/config/config-file.ts';
import { NO_LAYERS, resolveSettings } from '../../../../src/agent/config/layer.ts';
import { ALL_SETTINGS } from '../../../../src/agent/config/settings.ts';
import { fillConfigurationTables } from '../../../../tools/configuration-page.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
}

function blocks(page: string): string[] {
  return [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, text]) => text as string);
}

describe('docs/configuration.md', () => {
  const page = read('docs/configuration.md');

  it('has examples that the agent takes as they are', () => {
    const readings = blocks(page).map((text) => parseConfigFile(text, 'tortie.yaml'));
    expect(readings.map(({ errors }) => errors)).toEqual([[], []]);
    for (const { layer } of readings) {
      expect(findListenerErrors(resolveSettings({ ...NO_LAYERS, file: layer }))).toEqual([]);
    }
    const values = readings.map(({ layer }) =>
      Object.fromEntries([...layer].map(([name, { value }]) => [name, value])),
    );
    expect(values).toMatchObject([
      { node: 'worker-3', established: 'keep', maxFlows: 1048576, 'limits.rules': 500000 },
      { apiAddress: '[::]:7443' },
    ]);
  });

  it('names every setting, flag and variable', () => {
    const filled = fillConfigurationTables(page);
    for (const [name, { variable, flag }] of ALL_SETTINGS) {
      expect(filled).toContain(`| \`${name}\` |`);
      expect(filled).toContain(`\`${variable}\``);
      if (!name.startsWith('limits.')) expect(filled).toContain(`\`${flag}\``);
    }
  });

  it('refuses a mark that names no table', () => {
    expect(() => fillConfigurationTables('<!-- table nothing -->\n<!-- /table -->')).toThrow(
      'no table is called nothing',
    );
  });
});

describe('the configuration file of the package', () => {
  const text = read('packaging/tortie.yaml');

  it('says nothing', () => {
    expect(parseConfigFile(text, 'tortie.yaml')).toEqual({ layer: new Map(), errors: [] });
  });

  it('shows the defaults', () => {
    const { layer, errors } = parseConfigFile(text.replaceAll(/^#(?! )/gm, ''), 'tortie.yaml');
    expect(errors).toEqual([]);
    expect(layer.size).toBeGreaterThan(5);
    const defaults = resolveSettings(NO_LAYERS);
    for (const [name, { value }] of layer) expect([name, value]).toEqual([name, defaults.get(name)?.value]);
  });
});

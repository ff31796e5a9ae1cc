import { describe, expect, it } from 'vitest';
import { toAgentOptions, toExportOptions, toLiveOptions } from '../../../../src/agent/config/agent-options.ts';
import { NO_LAYERS, resolveSettings } from '../../../../src/agent/config/layer.ts';
import { ALL_SETTINGS } from '../../../../src/agent/config/settings.ts';
import { completeOptions } from '../../../../src/agent/options.ts';

describe('the table of settings', () => {
  it('has the defaults of the agent', () => {
    expect(toAgentOptions(resolveSettings(NO_LAYERS))).toEqual(completeOptions({}));
  });

  it('hands every setting that may change to what runs, and no other', () => {
    const settings = resolveSettings(NO_LAYERS);
    const handed = [...Object.keys(toLiveOptions(settings)), ...Object.keys(toExportOptions(settings)), 'logLevel'];
    const live = [...ALL_SETTINGS].filter(([, { change }]) => change === 'live').map(([name]) => name);
    expect(handed.sort()).toEqual(live.sort());
  });

  it.each(['flag', 'variable'] as const)('gives every setting a %s of its own', (kind) => {
    const names = [...ALL_SETTINGS.values()].map((setting) => setting[kind]);
    expect(new Set(names).size).toBe(ALL_SETTINGS.size);
  });

  it('accepts its own defaults as text and as values', () => {
    for (const [name, { value }] of resolveSettings(NO_LAYERS)) {
      const type = ALL_SETTINGS.get(name)?.type;
      expect([name, type?.parse(value), type?.parse(String(value))]).toEqual([name, value, value]);
    }
  });

  it.each([
    ['eventBudget', '-1'],
    ['eventBudget', 1.5],
    ['eventBudget', true],
    ['maxFlows', 1023],
    ['maxFlows', '16777217'],
    ['attach', 'xdp'],
    ['established', ''],
    ['node', ''],
    ['manifests', null],
    ['interfacePrefix', 'cali,'],
    ['interfacePrefix', 'a/b'],
    ['interfacePrefix', 'sixteencharacter'],
    ['logLevel', 'warning'],
    ['apiAddress', ':7443'],
    ['apiAddress', 7443],
    ['apiKey', 'a\0b'],
    ['limits.rules', 0],
  ])('refuses %s %j', (name, written) => {
    expect(ALL_SETTINGS.get(name)?.type.parse(written)).toBeUndefined();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Configuration } from '../../../../src/agent/config/configuration.ts';
import type { FelixConfiguration } from '../../../../src/agent/config/felix.ts';
import { LiveConfiguration } from '../../../../src/agent/config/live-configuration.ts';
import { Logger } from '../../../../src/base/log.ts';

describe('settings of a running agent', () => {
  let folder: string;
  let lines: Record<string, unknown>[];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-live-'));
    lines = [];
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  function felix(spec: Readonly<Record<string, unknown>>): FelixConfiguration[] {
    return [{ name: 'default', spec } as FelixConfiguration];
  }

  function start(objects: readonly FelixConfiguration[]): LiveConfiguration {
    const flags = new Map([['stateDirectory', { value: folder, origin: '--state-dir' }]]);
    const file = { path: join(folder, 'tortie.yaml'), isRequired: false };
    const configuration = Configuration.read({ flags, environment: {}, file }, () => objects);
    return new LiveConfiguration(
      configuration,
      new Logger({ level: 'info', write: (line) => lines.push(JSON.parse(line)) }),
    );
  }

  function warnings(): unknown[] {
    return lines.filter(({ level }) => level === 'warn').map(({ field }) => field);
  }

  it('warn once of protection that a FelixConfiguration asks for and does not get', () => {
    const asked = felix({ wireguardEnabled: true, bpfEnforceRPF: 'Loose', iptablesBackend: 'NFT' });
    const live = start(asked);
    live.felixChanged(asked);
    live.felixChanged(felix({ wireguardEnabled: true, bpfEnforceRPF: 'Strict' }));
    expect(warnings()).toEqual(['default wireguardEnabled', 'default bpfEnforceRPF']);
    expect(lines[0]).toMatchObject({ leftUndone: 'traffic between nodes is not encrypted' });
  });

  it('warn of one that comes later, and again of one that went and came back', () => {
    const live = start([]);
    const asked = felix({ wireguardEnabled: true });
    for (const objects of [asked, [], asked]) live.felixChanged(objects);
    expect(warnings()).toEqual(['default wireguardEnabled', 'default wireguardEnabled']);
  });
});

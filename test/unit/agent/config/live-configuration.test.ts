import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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

  it('reach the agent and its exporters when the file changes, all of them or none', async () => {
    const live = start([]);
    const passed: Record<string, unknown>[] = [];
    const take = async (options: object): Promise<void> => void passed.push({ ...options });
    const status = () => ({ exporters: [], packetLog: { lines: 0, suppressed: 0, exporters: [] } });
    await live.attach({ reconfigure: take }, { reconfigure: take, status });
    const wanted = {
      flowLogs: 'off',
      flowLogsInterval: 30,
      flowStore: 'all',
      flowStoreDays: 2,
      flowStoreBytes: 2 ** 28,
      exports: 'file:///var/log/tortie/flows.jsonl',
      packetLog: 'journald:',
      logPrefix: '%t',
      logActionRate: '1/minute',
      logActionBurst: 9,
    };
    writeFileSync(join(folder, 'tortie.yaml'), JSON.stringify(wanted));
    expect(live.telling().isWanted).toBe(true);
    await live.reload('a test');
    expect(Object.assign({}, ...passed.slice(2))).toMatchObject(wanted);
    expect(live.telling()).toEqual({ isWanted: false, exports: status() });
    writeFileSync(join(folder, 'tortie.yaml'), JSON.stringify({ flowLogs: 'on', exports: 'gopher://x' }));
    await live.reload('a test');
    expect(passed).toHaveLength(4);
    expect(live.status().errors).toMatchObject([{ code: 'INVALID_FIELD', message: expect.stringContaining('gopher') }]);
    expect(live.telling().isWanted).toBe(false);
  });

  it('are told without what is secret in them', async () => {
    const live = start([]);
    const hook = 'webhook+https://hooks.example/services/T0KEN?key=S3CRET';
    writeFileSync(join(folder, 'tortie.yaml'), JSON.stringify({ exports: `${hook} file:///var/log/tortie/a` }));
    await live.reload('a test');
    const shown = 'webhook+https://hooks.example/*** file:///var/log/tortie/a';
    expect(lines.find(({ message }) => message === 'settings changed')).toMatchObject({ exports: shown });
    expect(live.report().settings.find(({ name }) => name === 'exports')).toMatchObject({ value: shown });
    writeFileSync(join(folder, 'tortie.yaml'), JSON.stringify({ exports: `${hook}#nonsense=1` }));
    await live.reload('a test');
    expect(live.report().errors).toHaveLength(1);
    expect(JSON.stringify([lines, live.report(), live.status()])).not.toMatch(/T0KEN|S3CRET/);
  });

  it('warn of one that comes later, and again of one that went and came back', () => {
    const live = start([]);
    const asked = felix({ wireguardEnabled: true });
    for (const objects of [asked, [], asked]) live.felixChanged(objects);
    expect(warnings()).toEqual(['default wireguardEnabled', 'default wireguardEnabled']);
  });
});

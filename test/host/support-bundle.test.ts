// tortie support-bundle with an agent and without: one archive that tar opens, its owner's only, with what was promised in it
// and none of the secrets that were planted all over.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { IndexEntry } from '../../src/agent/doctor/bundle.ts';
import { type Agent, pinRoot } from '../../tools/lab/agent.ts';
import { HOST } from '../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { policy } from './support/policies.ts';
import { Setting } from './support/setting.ts';
import { workload } from './support/workloads.ts';

const SECRETS = ['hunter2-password', 'hunter2-token', 'hunter2-key', 'hunter2-header', 'hunter2-hook'] as const;
const [PASSWORD, TOKEN, KEY, HEADER, HOOK] = SECRETS;
const EXPORTS = `webhook+https://127.0.0.1:9/in/${HOOK}#actions=deny otlp+http://127.0.0.1:9/?key=${HOOK}`;
const LOG = [
  `{"level":"info","message":"fetched https://robot:${PASSWORD}@git.example/policy.git"}`,
  `{"level":"warn","message":"refused","token":"${TOKEN}"}`,
  `-----BEGIN PRIVATE KEY-----\n${KEY}\n-----END PRIVATE KEY-----`,
  `Authorization: Bearer ${HEADER}`,
  JSON.stringify({ level: 'info', message: 'settings changed', exports: EXPORTS }),
  'the last line of the log',
].join('\n');

describe('tortie support-bundle', { timeout: 60_000 }, () => {
  let setting: Setting;
  let agent: Agent | undefined;
  let directory: string;

  beforeAll(async () => {
    setting = await Setting.create({ workloads: [workload('lab', 'red', 1)], listeners: [] });
    const annotations = { token: TOKEN, note: `password=${PASSWORD}` };
    const known = policy({ name: 'named-policy', namespace: 'lab', selector: 'all()', ingress: [] });
    const { metadata } = known as { metadata: object };
    setting.manifests.write('50-policy.yaml', [{ ...known, metadata: { ...metadata, annotations } }]);
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'tortie-bundle-'));
    writeFileSync(join(directory, 'agent.log'), LOG);
  });

  afterEach(async () => {
    rmSync(directory, { recursive: true });
    await setting.disarm(agent);
    agent = undefined;
  });

  afterAll(async () => {
    await setting?.close();
  });

  function bundle(...flags: readonly string[]): Promise<unknown> {
    const places = ['--bpffs', setting.lab.bpffs, '--pin-root', pinRoot(setting.lab)];
    const state = ['--state-dir', join(setting.lab.directory, 'state')];
    const socket = ['--socket', join(setting.lab.directory, 'agent.sock'), '--log', join(directory, 'agent.log')];
    return setting.lab.exec(HOST, tortieCommand('support-bundle', ...places, ...state, ...socket, ...flags));
  }

  /** Opens it as a person would. Returns texts by file name. */
  function open(path: string): ReadonlyMap<string, string> {
    execFileSync('tar', ['--extract', '--gzip', '--file', path, '--directory', directory]);
    const [top = ''] = readdirSync(directory).filter((name) => name.startsWith('tortie-support-'));
    const place = join(directory, top);
    return new Map(readdirSync(place).map((name) => [name, readFileSync(join(place, name), 'utf8')]));
  }

  function indexOf(files: ReadonlyMap<string, string>): readonly IndexEntry[] {
    return (JSON.parse(files.get('index.json') ?? '') as { files: IndexEntry[] }).files;
  }

  it('holds what the agent and the machine say, without secrets', async () => {
    agent = await setting.startAgent({ wrapper: ['env', `TORTIE_EXPORTS=${EXPORTS}`] });
    const path = join(directory, 'bundle.tar.gz');
    await bundle('--output', path, '--with-manifests');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const files = open(path);
    const index = indexOf(files);
    expect([...files.keys()].sort()).toEqual(
      ['index.json', ...index.filter(({ missing }) => missing === undefined).map(({ file }) => file)].sort(),
    );
    for (const { file, bytes, missing } of index) {
      if (missing === undefined) expect(Buffer.byteLength(files.get(file) ?? ''), file).toBe(bytes);
    }
    expect(JSON.parse(files.get('status.json') ?? '')).toMatchObject({ inSync: true, conditions: [] });
    expect(JSON.parse(files.get('config.json') ?? '')).toMatchObject({ settings: expect.anything() });
    expect(files.get('config.json')).toContain('webhook+https://127.0.0.1:9/REDACTED#actions=deny');
    expect(files.get('tables.json')).toContain('tt_heap');
    expect(files.get('metrics.txt')).toContain('tortie_policy_generation');
    expect(files.get('doctor.json')).toContain('other-programs');
    expect(files.get('manifests.json')).toContain('named-policy');
    expect(files.get('log.txt')).toContain('the last line of the log');
    expect(files.get('ip-link.txt')).toContain('calired');
    const all = [...files.values()].join('\n');
    for (const secret of SECRETS) expect(all).not.toContain(secret);
    expect(all.match(/REDACTED/g)?.length).toBeGreaterThanOrEqual(SECRETS.length);
  });

  it('is made without an agent too, says what is missing, and never overwrites', async () => {
    const path = join(directory, 'bundle.tar.gz');
    await bundle('--output', path);
    const files = open(path);
    const missing = indexOf(files).flatMap((one) => (one.missing === undefined ? [] : [one.file]));
    expect(missing).toEqual(expect.arrayContaining(['status.json', 'tables.json', 'metrics.txt', 'history.json']));
    expect(files.get('doctor.json')).toContain('nobody answers');
    expect(files.has('manifests.json')).toBe(false);
    const before = readFileSync(path);
    await expect(bundle('--output', path)).rejects.toThrow(/USAGE/);
    expect(readFileSync(path).equals(before)).toBe(true);
  });
});

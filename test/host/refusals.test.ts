// What the agent and the command line refuse: one clear error each, the documented exit code, and nothing is lost.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/kernel/native.ts';
import { Pins } from '../../src/kernel/pins.ts';
import { HOST, Lab } from '../../tools/lab/namespaces.ts';
import { tortieCommand } from '../../tools/lab/project.ts';
import { openObject } from '../abi/native/fixture.ts';

const WITHOUT_CAPABILITIES = ['setpriv', '--inh-caps=-all', '--bounding-set=-all'];
/** Root reads everything with them. */
const WITHOUT_OVERRIDE = ['setpriv', '--bounding-set=-dac_override,-dac_read_search'];
const RUN_LIMIT_MS = 20_000;
const TIER = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: first}\nspec: {order: 1}\n';

interface Outcome {
  readonly code: number | null;
  readonly error: string;
}

describe('the command line', () => {
  let lab: Lab;
  let manifests: string;

  beforeAll(async () => {
    lab = await Lab.create({ workloads: [] });
    manifests = join(lab.directory, 'manifests');
    mkdirSync(manifests, { recursive: true });
    writeFileSync(join(manifests, 'tier.yaml'), TIER);
  });

  afterAll(() => lab?.close());

  /** Runs to its end, in the lab's host namespace. */
  function run(argv: readonly string[], input = ''): Outcome {
    const [program = '', ...rest] = lab.enter(HOST, argv);
    const { status, stderr } = spawnSync(program, rest, { input, encoding: 'utf8', timeout: RUN_LIMIT_MS });
    return { code: status, error: stderr.trim() };
  }

  function agent(...flags: readonly string[]): string[] {
    const places = [
      '--bpffs',
      lab.bpffs,
      '--state-dir',
      join(lab.directory, 'state'),
      '--socket',
      join(lab.directory, 's'),
    ];
    return tortieCommand('agent', '--manifests', manifests, ...places, ...flags);
  }

  /** Starts an agent and stops it once it is ready, or lets it fail. */
  async function startAndStop(...flags: readonly string[]): Promise<void> {
    const [program = '', ...rest] = agent(...flags);
    const child = lab.spawn(HOST, [program, ...rest], { stdio: ['ignore', 'ignore', 'pipe'] });
    for await (const chunk of child.stderr ?? []) if (String(chunk).includes('"ready"')) child.kill('SIGTERM');
  }

  const expectOneLine = (outcome: Outcome, code: number, ...parts: readonly string[]): void => {
    expect(outcome.error.split('\n'), outcome.error).toHaveLength(1);
    for (const part of parts) expect(outcome.error).toContain(part);
    expect(outcome.code).toBe(code);
  };

  it('says which capabilities it lacks', () => {
    const flow = '{"id":1,"src":"10.0.0.1","dst":"10.0.0.2","protocol":"TCP","dstPort":80}\n';
    const question = tortieCommand('verdict', '--manifests', manifests, '--engine', 'kernel');
    const [program = '', ...rest] = WITHOUT_CAPABILITIES;
    const { status, stderr } = spawnSync(program, [...rest, ...question], { input: flow, encoding: 'utf8' });
    expectOneLine({ code: status, error: stderr.trim() }, 1, 'PERMISSION: ', 'CAP_BPF');
  });

  it('refuses pinned maps of other sizes, naming each difference, and leaves them alone', async () => {
    await startAndStop();
    expectOneLine(
      run(agent('--max-flows', '65536')),
      1,
      'ABI_MISMATCH: ',
      'tt_flows',
      'max entries 32',
      'expected 8',
      'tortie cleanup',
    );
    await startAndStop();
    expect(run(tortieCommand('cleanup', '--bpffs', lab.bpffs))).toEqual({ code: 0, error: '' });
  });

  it.each(['tt_sides', 'tt_flows'])('refuses what somebody else has pinned as %s, and leaves it', async (map) => {
    await startAndStop();
    const pin = new Pins(join(lab.bpffs, 'tortie')).map(map);
    rmSync(pin);
    const foreign = openObject();
    foreign.map('numbers').pin(pin);
    const { id } = foreign.map('numbers').info;
    foreign.close();
    expectOneLine(run(agent()), 1, 'ABI_MISMATCH: ', `map ${map}: `, 'tortie cleanup');
    const found = loadNative().BpfMap.openPinned(pin);
    expect(found.info.id).toBe(id);
    found.close();
    expect(run(tortieCommand('cleanup', '--bpffs', lab.bpffs))).toEqual({ code: 0, error: '' });
    await startAndStop();
    expect(run(tortieCommand('cleanup', '--bpffs', lab.bpffs))).toEqual({ code: 0, error: '' });
  });

  it('does not start on a directory that is not there', () => {
    expectOneLine(run(agent('--manifests', '/nonexistent')), 1, 'FILE_UNREADABLE: ', '/nonexistent', '--manifests');
  });

  it('does not start on a directory that it may not read', () => {
    const closed = join(lab.directory, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0);
    const outcome = run([...WITHOUT_OVERRIDE, ...agent('--manifests', closed)]);
    expectOneLine(outcome, 1, 'FILE_UNREADABLE: ', closed, 'EACCES');
  });

  it('names the setting that was meant, in a file and in the environment', () => {
    const file = join(lab.directory, 'tortie.yaml');
    writeFileSync(file, 'logLevel: info\nevntBudget: 7\n');
    const inFile = run(agent('--config', file));
    expectOneLine(inFile, 1, 'UNKNOWN_FIELD: ', `${file}:2`, 'evntBudget', 'did you mean eventBudget?');
    const inEnvironment = run(['env', 'TORTIE_EVENT_BUDGT=7', ...agent()]);
    expectOneLine(inEnvironment, 1, 'UNKNOWN_FIELD: ', 'did you mean TORTIE_EVENT_BUDGET?');
  });

  it('names the version of a kind that it reads instead', () => {
    const outcome = run(tortieCommand('apply', '--manifests', manifests, '-f', '-'), TIER.replace('/v3', '/v9'));
    expectOneLine(outcome, 3, 'UNKNOWN_KIND: ', 'projectcalico.org/v9 Tier', 'did you mean projectcalico.org/v3 Tier?');
  });

  it('is quiet when whoever reads it has seen enough', () => {
    const command = tortieCommand('--help').join(' ');
    expect(run(['sh', '-c', `(sleep 0.1; exec ${command}) | true`])).toEqual({ code: 0, error: '' });
  });

  it('says that no agent answers, with an exit code of its own', () => {
    const outcome = run(tortieCommand('status', '--socket', join(lab.directory, 'nobody')));
    expectOneLine(outcome, 4, 'AGENT_UNREACHABLE: ', 'tortie agent');
  });

  it('says which words of a command line it does not understand', () => {
    const outcome = run(tortieCommand('status', '--frobnicate'));
    expect(outcome.error).toContain("unknown option '--frobnicate'");
    expect(outcome.code).toBe(2);
  });

  it('refuses a bad object by name, with file, line and field, and applies the others', () => {
    const bad = 'apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: {name: second}\nspec:\n  order: high\n';
    const outcome = run(
      tortieCommand('apply', '--manifests', manifests, '-f', '-'),
      `${TIER.replace('1', '2')}---\n${bad}`,
    );
    expectOneLine(outcome, 3, 'INVALID_FIELD: ', 'tier second', 'spec.order', 'high');
    const { stdout } = spawnSync('cat', [join(manifests, 'tier.yaml')], { encoding: 'utf8' });
    expect(stdout).toContain('order: 2');
  });

  it('writes no file outside the directory, whatever an object is called', () => {
    const name = 'x/../../../outside';
    const endpoint = `apiVersion: projectcalico.org/v3\nkind: WorkloadEndpoint\nmetadata: {namespace: n, name: "${name}"}\nspec: {orchestrator: k8s, node: a, pod: p, endpoint: eth0, ipNetworks: [10.0.0.9/32]}\n`;
    run(tortieCommand('apply', '--manifests', manifests, '-f', '-'), endpoint);
    expect(readdirSync(join(lab.directory, '..')).concat(readdirSync(lab.directory))).not.toContain('outside.yaml');
    expect(run(tortieCommand('cleanup', '--bpffs', lab.bpffs)).code).toBe(0);
  });

  it('cleans up nothing that is not in a BPF file system', () => {
    const innocent = join(lab.directory, 'innocent');
    mkdirSync(innocent);
    expectOneLine(run(tortieCommand('cleanup', '--pin-root', innocent)), 2, 'USAGE: ', innocent);
    expect(existsSync(innocent)).toBe(true);
  });

  it('starts no second agent on the same pins, whatever its socket', async () => {
    const first = lab.spawn(HOST, agent(), { stdio: ['ignore', 'ignore', 'pipe'] });
    for await (const chunk of first.stderr ?? []) if (String(chunk).includes('"ready"')) break;
    const elsewhere = ['--state-dir', join(lab.directory, 'other'), '--socket', join(lab.directory, 'other.sock')];
    expectOneLine(run(agent(...elsewhere)), 1, 'AGENT_RUNNING: ');
    first.kill('SIGTERM');
    await once(first, 'exit');
    run(tortieCommand('cleanup', '--bpffs', lab.bpffs));
  });

  it('asks for a kind that it knows', () => {
    expectOneLine(run(tortieCommand('get', 'frobs', '--manifests', manifests)), 1, 'UNKNOWN_KIND: ', 'frobs', 'tier');
  });
});

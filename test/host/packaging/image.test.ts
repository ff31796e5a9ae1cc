// The image: a layout by the OCI image specification, and an agent in a container of it that enforces with the privileges that the
// DaemonSet names, and no others.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { AgentStatus } from '../../../src/agent/status.ts';
import { runCommand } from '../../../src/bench/command.ts';
import { askAgent } from '../../../src/cli/agent-client.ts';
import type { FlowLog } from '../../../src/observe/flows/flow-log.ts';
import { HOST } from '../../../tools/lab/namespaces.ts';
import { findProject } from '../../../tools/lab/project.ts';
import { describeDisagreements, truthTable } from '../../../tools/lab/truth-table.ts';
import { buildImage } from '../../../tools/package/image.ts';
import { allowPorts, policy } from '../support/policies.ts';
import { PolicyTruth } from '../support/policy-truth.ts';
import { unitCapabilities } from '../support/service-agent.ts';
import { Setting } from '../support/setting.ts';
import { workload } from '../support/workloads.ts';

const WAIT_MS = 30_000;
/** Compressing the database that flows are kept in takes its time. */
const BUILD_MS = 300_000;
const project = findProject();
const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { readonly version: string };

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Container {
  readonly securityContext: {
    readonly privileged: boolean;
    readonly capabilities: { readonly drop: string[]; readonly add: string[] };
  };
  readonly volumeMounts: readonly { readonly mountPath: string; readonly readOnly?: boolean }[];
}

let folder: string;
let layout: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tortie-image-'));
  layout = await buildImage(project, folder);
}, BUILD_MS);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** As the node would run it. */
function daemonContainer(): Container {
  const documents = parseAllDocuments(readFileSync(join(project, 'packaging/kubernetes/daemonset.yaml'), 'utf8'));
  const objects = documents.map(
    (document) => document.toJS() as { kind: string; spec?: { template?: { spec: { containers: Container[] } } } },
  );
  const container = objects.find(({ kind }) => kind === 'DaemonSet')?.spec?.template?.spec.containers[0];
  if (container === undefined) throw new Error('the DaemonSet has no container');
  return container;
}

describe('the image', () => {
  function blob({ digest, size }: Descriptor): Buffer {
    const content = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
    expect([content.length, `sha256:${createHash('sha256').update(content).digest('hex')}`]).toEqual([size, digest]);
    return content;
  }

  it('is a layout whose every blob is what its descriptor says', () => {
    expect(JSON.parse(readFileSync(join(layout, 'oci-layout'), 'utf8'))).toEqual({ imageLayoutVersion: '1.0.0' });
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { readonly manifests: [Descriptor] };
    const manifest = JSON.parse(blob(index.manifests[0]).toString()) as { config: Descriptor; layers: Descriptor[] };
    const config = JSON.parse(blob(manifest.config).toString()) as {
      rootfs: { diff_ids: string[] };
      history: unknown[];
    };
    const contents = manifest.layers.map((layer) => gunzipSync(blob(layer)));
    expect(config.rootfs.diff_ids).toEqual(
      contents.map((content) => `sha256:${createHash('sha256').update(content).digest('hex')}`),
    );
    expect(config.history).toHaveLength(manifest.layers.length);
    expect(readdirSync(join(layout, 'blobs/sha256'))).toHaveLength(2 + manifest.layers.length);
  });

  it('holds a system and the application, each library once, and nothing of where it was built', async () => {
    const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { readonly manifests: [Descriptor] };
    const { layers } = JSON.parse(blob(index.manifests[0]).toString()) as { layers: Descriptor[] };
    const paths: string[] = [];
    for (const { digest } of layers) {
      const { stdout } = await runCommand(['tar', '-tzf', join(layout, 'blobs', digest.replace(':', '/'))]);
      paths.push(...stdout.split('\n').map((path) => path.replace(/^\.\//, '')));
    }
    const tops = new Set(paths.map((path) => path.split('/')[0]).filter((name) => name !== ''));
    expect([...tops].sort()).toEqual(['dev', 'etc', 'lib', 'lib64', 'proc', 'run', 'sys', 'tmp', 'usr', 'var']);
    const libraries = paths.filter((path) => /\.so(\.\d+)*$/.test(path)).map((path) => basename(path));
    expect(libraries).toContain('libduckdb.so');
    expect(libraries).toEqual([...new Set(libraries)]);
  });

  it('is the same bytes when it is built again', { timeout: BUILD_MS }, async () => {
    const again = await buildImage(project, join(folder, 'again'));
    expect(readFileSync(join(again, 'index.json'), 'utf8')).toBe(readFileSync(join(layout, 'index.json'), 'utf8'));
  });

  it('is read by skopeo', async () => {
    const { stdout } = await runCommand(['skopeo', 'inspect', `oci:${layout}:${version}`]);
    expect(JSON.parse(stdout)).toMatchObject({ Os: 'linux', Labels: { 'org.opencontainers.image.version': version } });
  });
});

describe('an agent in a container', () => {
  const WORKLOADS = [workload('lab', 'red', 1), workload('lab', 'green', 2)];
  const PARTIES = WORKLOADS.map(({ pod, addresses }) => ({ name: pod, addresses }));
  const LISTENERS = [7000, 7001].map((port) => ({ transport: 'tcp', port }) as const);
  let setting: Setting;
  let agent: ChildProcess | undefined;
  let output = '';

  beforeAll(async () => {
    setting = await Setting.create({ workloads: WORKLOADS, listeners: LISTENERS });
    setting.manifests.write('50-policy.yaml', [
      policy({ name: 'green', namespace: 'lab', selector: "app == 'green'", ingress: allowPorts([7000]) }),
    ]);
  });

  afterAll(async () => {
    agent?.kill('SIGKILL');
    await setting?.close();
  });

  async function expectVerdicts(): Promise<void> {
    const cases = new PolicyTruth(setting.manifests.path).cases(PARTIES, PARTIES, LISTENERS);
    expect(new Set(cases.flatMap((one) => one.expected))).toEqual(new Set(['open', 'timeout']));
    expect(describeDisagreements(await truthTable(setting.peers, cases))).toEqual([]);
  }

  /** All that flow logs need is in the image: an object for the kernel, the database, and a process of its own. */
  async function expectFlowsKept(socket: string): Promise<void> {
    await vi.waitFor(async () => {
      expect(await askAgent(socket, 'GET', '/flows/store')).toMatchObject({ mode: 'all', error: null, lost: 0 });
      const { items } = await askAgent<{ items: FlowLog[] }>(socket, 'GET', '/flows?last=1000');
      expect(new Set(items.map(({ action }) => action))).toEqual(new Set(['allow', 'deny']));
    }, WAIT_MS);
  }

  /** The bundle that runc runs: the image's files and command, the DaemonSet's privileges and mounts, the lab's network. */
  async function bundle(): Promise<string> {
    const { lab, manifests } = setting;
    const path = join(folder, 'bundle');
    await runCommand(['umoci', 'unpack', '--image', `${layout}:${version}`, path]);
    const config = JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'));
    const { securityContext, volumeMounts } = daemonContainer();
    const capabilities = securityContext.capabilities.add.map((name) => `CAP_${name}`);
    const sources: Readonly<Record<string, string>> = {
      '/etc/tortie/manifests': manifests.path,
      '/sys/fs/bpf': lab.bpffs,
    };
    const binds = volumeMounts.map(({ mountPath, readOnly }) => {
      const source = sources[mountPath] ?? join(lab.directory, mountPath.replaceAll('/', '_'));
      mkdirSync(source, { recursive: true });
      return { destination: mountPath, type: 'bind', source, options: ['bind', readOnly === true ? 'ro' : 'rw'] };
    });
    const sets = Object.fromEntries(['bounding', 'effective', 'permitted'].map((set) => [set, capabilities]));
    const env = [...config.process.env, 'TORTIE_FLOW_STORE=all', 'TORTIE_FLOW_LOGS_INTERVAL=1'];
    config.process = { ...config.process, env, terminal: false, capabilities: sets, noNewPrivileges: true };
    config.root.readonly = true;
    config.mounts.push(...binds);
    const namespaces = ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
    config.linux.namespaces = [...namespaces, { type: 'network', path: `/run/netns/${lab.namespace(HOST)}` }];
    config.linux.cgroupsPath = `/${lab.prefix}`;
    writeFileSync(join(path, 'config.json'), JSON.stringify(config));
    return path;
  }

  it('has the privileges of the unit', () => {
    const { privileged, capabilities } = daemonContainer().securityContext;
    expect([privileged, capabilities.drop]).toEqual([false, ['ALL']]);
    expect(capabilities.add.map((name) => name.toLowerCase()).sort()).toEqual([...unitCapabilities()].sort());
  });

  it('enforces, and what it enforced stays when it is killed', async () => {
    const socket = join(setting.lab.directory, '_run_tortie', 'agent.sock');
    agent = spawn('runc', [
      '--root',
      join(folder, 'runc'),
      'run',
      '--no-new-keyring',
      '--bundle',
      await bundle(),
      setting.lab.prefix,
    ]);
    for (const stream of [agent.stdout, agent.stderr]) stream?.on('data', (text) => (output += String(text)));
    await vi.waitFor(async () => {
      expect([agent?.exitCode, agent?.exitCode === null ? '' : output]).toEqual([null, '']);
      expect(await askAgent<AgentStatus>(socket, 'GET', '/v1/status')).toMatchObject({ inSync: true, version });
    }, WAIT_MS);
    await expectVerdicts();
    await expectFlowsKept(socket);
    const ended = new Promise((resolve) => agent?.once('close', resolve));
    await runCommand(['runc', '--root', join(folder, 'runc'), 'kill', setting.lab.prefix, 'KILL']);
    await ended;
    await expectVerdicts();
  });
});

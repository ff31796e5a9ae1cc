// The image for container hosts, as a directory of the OCI image layout: what the application runs on, and the application, one layer
// each. Made without a container engine and without a network; two builds on one machine are the same bytes.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runCommand } from '../../src/bench/command.ts';
import { applicationEntries, commandEntries, HOME, type Manifest, readManifest } from './application.ts';
import { changelogOf } from './changelog.ts';
import { copyrightText } from './copyright.ts';
import { type Entry, writeTree } from './entry.ts';
import { productionModules } from './modules.ts';
import { runtimeEntries } from './runtime.ts';

const MEDIA = 'application/vnd.oci.image';
const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  s390x: 's390x',
  ppc64: 'ppc64le',
};

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

interface Layer {
  readonly blob: Blob;
  /** Of the archive before it was compressed. */
  readonly contentDigest: string;
  readonly what: string;
}

/** Writes the layout to `<folder>/tortie-oci`, over what was there; returns its path. Throws when the project is not built, and KERNEL. */
export async function buildImage(project: string, folder: string): Promise<string> {
  const layout = join(folder, 'tortie-oci');
  rmSync(layout, { recursive: true, force: true });
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true });
  const { timeSeconds } = changelogOf(project);
  const application = imageApplication(project);
  const objects = application.flatMap((entry) =>
    entry.kind === 'copy' && entry.from.endsWith('.node') ? [entry.from] : [],
  );
  const layers = [
    await writeLayer(layout, await runtimeEntries(objects), 'node and shared libraries', timeSeconds),
    await writeLayer(layout, application, 'tortie', timeSeconds),
  ];
  writeLayout(layout, readManifest(project), layers, new Date(timeSeconds * 1000).toISOString().replace('.000', ''));
  return layout;
}

function imageApplication(project: string): Entry[] {
  const modules = productionModules(project);
  return [
    ...applicationEntries(project, modules),
    ...commandEntries(project),
    { path: `${HOME}/copyright`, kind: 'text', text: copyrightText(project, modules) },
    { path: 'etc/tortie/tortie.yaml', kind: 'copy', from: join(project, 'packaging/tortie.yaml') },
    { path: 'etc/tortie/manifests', kind: 'directory' },
    { path: 'etc/passwd', kind: 'text', text: 'root:x:0:0:root:/:/usr/sbin/nologin\n' },
    { path: 'etc/group', kind: 'text', text: 'root:x:0:\n' },
    { path: 'var/lib/tortie', kind: 'directory', mode: 0o700 },
    { path: 'run/tortie', kind: 'directory', mode: 0o700 },
    { path: 'tmp', kind: 'directory', mode: 0o1777 },
    ...['proc', 'sys', 'dev'].map((path): Entry => ({ path, kind: 'directory' })),
  ];
}

/** GNU tar knows how to make an archive that depends on names, modes and contents alone. */
async function writeLayer(
  layout: string,
  entries: readonly Entry[],
  what: string,
  timeSeconds: number,
): Promise<Layer> {
  const stage = mkdtempSync(join(tmpdir(), 'tortie-oci-'));
  try {
    const tree = join(stage, 'tree');
    mkdirSync(tree, { mode: 0o755 });
    writeTree(tree, entries, timeSeconds);
    const archive = join(stage, 'layer.tar');
    const same = [
      '--sort=name',
      '--format=gnu',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${timeSeconds}`,
    ];
    await runCommand(['tar', '-C', tree, ...same, '-cf', archive, ...topOf(entries)]);
    const content = readFileSync(archive);
    const blob = writeBlob(layout, `${MEDIA}.layer.v1.tar+gzip`, gzipSync(content));
    return { blob, contentDigest: digestOf(content), what };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function topOf(entries: readonly Entry[]): string[] {
  return [...new Set(entries.map(({ path }) => path.split('/')[0] as string))].sort();
}

function writeLayout(layout: string, manifest: Manifest, layers: readonly Layer[], created: string): void {
  const { version, description, license } = manifest;
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const annotations = {
    'org.opencontainers.image.created': created,
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.licenses': license,
    'org.opencontainers.image.title': 'tortie',
    'org.opencontainers.image.version': version,
  };
  const config = writeJson(layout, `${MEDIA}.config.v1+json`, {
    created,
    architecture,
    os: 'linux',
    config: {
      User: '0:0',
      Env: ['PATH=/usr/bin'],
      Entrypoint: ['/usr/bin/tortie'],
      Cmd: ['agent'],
      WorkingDir: '/',
      Labels: annotations,
      StopSignal: 'SIGTERM',
    },
    rootfs: { type: 'layers', diff_ids: layers.map(({ contentDigest }) => contentDigest) },
    history: layers.map(({ what }) => ({ created, created_by: 'npm run package:oci', comment: what })),
  });
  const image = writeJson(layout, `${MEDIA}.manifest.v1+json`, {
    schemaVersion: 2,
    mediaType: `${MEDIA}.manifest.v1+json`,
    config,
    layers: layers.map(({ blob }) => blob),
    annotations,
  });
  const named = {
    ...image,
    platform: { architecture, os: 'linux' },
    annotations: { 'org.opencontainers.image.ref.name': version },
  };
  const index = { schemaVersion: 2, mediaType: `${MEDIA}.index.v1+json`, manifests: [named] };
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

function writeJson(layout: string, mediaType: string, value: object): Blob {
  return writeBlob(layout, mediaType, Buffer.from(JSON.stringify(value)));
}

function writeBlob(layout: string, mediaType: string, content: Uint8Array): Blob {
  const digest = digestOf(content);
  writeFileSync(join(layout, 'blobs', digest.replace(':', '/')), content);
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

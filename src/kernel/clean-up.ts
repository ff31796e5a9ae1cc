// Takes everything off the kernel that Tortie ever put there: programs, links, pins. The opposite of Dataplane.open.
import { existsSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { DataplaneError } from '../base/errors.ts';
import { detachFilters } from './attachment.ts';
import { HOST_LINKS } from './host-links.ts';
import { loadNative, translateErrors } from './native.ts';

export interface CleanUpReport {
  /** Interfaces that had one of our programs. */
  readonly interfaces: readonly string[];
  readonly isPinRootRemoved: boolean;
}

/** linux/magic.h: BPF_FS_MAGIC */
const BPFFS_MAGIC = 0xcafe4a11;

/** Works for pins of every layout version. Throws USAGE for a directory that is no bpffs, PERMISSION or KERNEL. */
export function cleanUp(pinRoot: string): CleanUpReport {
  if (existsSync(pinRoot) && statfsSync(pinRoot).type !== BPFFS_MAGIC) {
    throw new DataplaneError('USAGE', 'is not in a BPF file system', {
      operation: 'clean up',
      target: pinRoot,
      hint: 'name the directory that the agent was given with --pin-root',
    });
  }
  const interfaces = new Set<string>();
  const directories = existsSync(pinRoot) ? readdirSync(pinRoot) : [];
  for (const links of [pinRoot, ...directories.map((name) => join(pinRoot, name))].map((at) => join(at, 'links'))) {
    for (const name of existsSync(links) ? readdirSync(links) : []) {
      detachLink(join(links, name));
      interfaces.add(name.replace(/-(ingress|egress)$/, ''));
    }
  }
  const hooks = join(pinRoot, HOST_LINKS);
  for (const name of existsSync(hooks) ? readdirSync(hooks) : []) detachLink(join(hooks, name));
  for (const link of loadNative().linkList()) if (detachFilters(link.ifindex)) interfaces.add(link.name);
  const isPinRootRemoved = existsSync(pinRoot);
  rmSync(pinRoot, { recursive: true, force: true });
  return { interfaces: [...interfaces].sort(), isPinRootRemoved };
}

/** Detaching first: other processes may hold the link open. */
function detachLink(pin: string): void {
  translateErrors('detach link', pin, () => {
    const link = loadNative().BpfLink.openPinned(pin);
    if (link.info.ifindex !== 0) link.detach();
    link.close();
  });
}

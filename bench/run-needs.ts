// What sections need of the machine, asked before any of them starts.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Command -> Debian package that has it. */
const PACKAGES: Readonly<Record<string, string>> = {
  taskset: 'util-linux',
  ip: 'iproute2',
  nft: 'nftables',
  iptables: 'iptables',
};

export interface SectionNeeds {
  readonly root: boolean;
  readonly commands: readonly string[];
}

const TRAFFIC: SectionNeeds = { root: true, commands: ['ip', 'nft', 'iptables'] };
const COMPUTE: SectionNeeds = { root: false, commands: [] };
/** Kernel objects, in this process. */
const KERNEL: SectionNeeds = { root: true, commands: [] };

const NEEDS: Readonly<Record<string, SectionNeeds>> = {
  forward: TRAFFIC,
  tcp: TRAFFIC,
  host: TRAFFIC,
  'xdp-path': TRAFFIC,
  change: { root: true, commands: ['ip'] },
  idle: { root: true, commands: ['ip'] },
  'flow-flood': { root: true, commands: ['ip'] },
  'flow-forward': { root: true, commands: ['ip'] },
  diff: COMPUTE,
  compile: COMPUTE,
};

/** One sentence for each thing that is missing. `searchPath` as in $PATH. */
export function missingNeeds(sections: readonly string[], uid: number, searchPath: string): string[] {
  const needs = sections.map((section) => ({ section, ...(NEEDS[section] ?? KERNEL) }));
  const rootOnly = needs.filter(({ root }) => root).map(({ section }) => section);
  const commands = new Set(['taskset', ...needs.flatMap((need) => need.commands)]);
  const folders = [...searchPath.split(delimiter), '/usr/sbin', '/sbin'].filter((folder) => folder !== '');
  const absent = [...commands].filter((command) => !folders.some((folder) => isExecutable(join(folder, command))));
  const problems: string[] = [];
  if (uid !== 0 && rootOnly.length > 0) {
    problems.push(`${rootOnly.join(', ')}: only root may load programs into the kernel (run: sudo npm run bench)`);
  }
  if (absent.length > 0) {
    const packages = absent.map((command) => PACKAGES[command] ?? command).join(' ');
    problems.push(`not installed: ${absent.join(', ')} (run: apt-get install --no-install-recommends ${packages})`);
  }
  return problems;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

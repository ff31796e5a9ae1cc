// Which process holds which socket, as far as whoever asks may look: root sees all of them.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** Command names by inode of the socket. Of several holders, such as workers, one; children of one name are the rule. */
export function socketOwners(proc = '/proc'): Map<number, string> {
  const owners = new Map<number, string>();
  for (const pid of entriesOf(proc).filter((name) => /^\d+$/.test(name))) {
    const folder = `${proc}/${pid}/fd`;
    let name: string | undefined;
    for (const descriptor of entriesOf(folder)) {
      const inode = socketAt(`${folder}/${descriptor}`);
      if (inode === undefined) continue;
      name ??= commandOf(`${proc}/${pid}/comm`);
      // systemd keeps what it has opened for others: the others say more.
      if (!owners.has(inode) || owners.get(inode) === 'systemd') owners.set(inode, name);
    }
  }
  return owners;
}

function socketAt(path: string): number | undefined {
  try {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(readlinkSync(path)) ?? [];
    return inode === undefined ? undefined : Number(inode);
  } catch {
    return undefined;
  }
}

function commandOf(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

/** Processes end while they are looked at. */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

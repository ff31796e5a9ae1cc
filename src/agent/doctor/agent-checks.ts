// Checks of the agent itself: does it answer, is the kernel as it says, has it room, are its files its own.
import { join } from 'node:path';
import { MAX_HEAP_WORDS, MAX_V6_NODES } from '../../tables/compiler.ts';
import { V6_NODE_WORDS } from '../../tables/layout.ts';
import { type Check, fail, type Judgement, type Machine, ok, skip, warn } from './finding.ts';

export const AGENT_CHECKS: readonly Check[] = [
  { id: 'agent', checked: 'an agent answers, and all accepted manifests are in force', run: checkAgent },
  { id: 'drift', checked: "the kernel's tables are those of the agent", run: checkDrift },
  { id: 'tables', checked: 'the flow table and the tables of policy have room', run: checkTables },
  { id: 'disk', checked: 'the disk has room for state and history', run: checkDisk },
  { id: 'descriptors', checked: 'this machine can open more files', run: checkDescriptors },
  { id: 'state-directory', checked: 'state and socket are for their owner only', run: checkOwnership },
];

const MIB = 2 ** 20;
const AFTER_CLEANUP = 'it counts from the next start after tortie cleanup, and nothing is enforced in between';
/** By kernel map: the setting that gives it room, and how much it can give. */
const POLICY_ROOM: Readonly<Record<string, { readonly setting: string; readonly mostBytes: number }>> = {
  tt_heap: { setting: 'heapWords', mostBytes: 4 * MAX_HEAP_WORDS },
  tt_v6_nodes: { setting: 'v6Nodes', mostBytes: 4 * V6_NODE_WORDS * MAX_V6_NODES },
};
const NEARLY_FULL = 0.8;
const FULL = 0.95;
/** Permission bits of others than the owner, and of those the ones to write. */
const OTHERS = 0o077;
const OTHERS_WRITE = 0o022;

async function checkAgent(machine: Machine): Promise<Judgement> {
  const status = await machine.status();
  const { socket } = machine.places;
  if (status === undefined) {
    return fail(
      `nobody answers at ${socket}`,
      'start it: systemctl start tortie; what is pinned stays in force meanwhile',
    );
  }
  const failed = status.endpoints.filter(({ state }) => state === 'error');
  if (failed.length > 0) {
    return fail(
      `${failed.length} endpoints in error, first ${failed[0]?.endpoint}: ${failed[0]?.reason}`,
      'see: tortie status',
    );
  }
  if (status.conditions.length > 0) {
    return warn(
      status.conditions.map(({ reason, message }) => `${reason}: ${message}`).join('; '),
      'see docs/doctor.md',
    );
  }
  if (!status.inSync) return warn('not in sync', 'see: tortie status --wait 10');
  const [refused] = status.manifests.errors;
  if (refused !== undefined) {
    const { errors } = status.manifests;
    return warn(`${errors.length} refused, first ${refused.code}: ${refused.message}`, 'see: tortie status');
  }
  return ok(`version ${status.version}, in sync, ${status.endpoints.length} endpoints, ${status.repairs} repairs`);
}

async function checkDrift(machine: Machine): Promise<Judgement> {
  const status = await machine.status();
  const generation = machine.generation();
  if (generation === undefined) return skip('no tables are pinned');
  if (status === undefined) return skip('no agent to compare with');
  // Policy may have changed between the two answers.
  const isSame = status.generation === generation || (await machine.status())?.generation === machine.generation();
  if (!isSame) {
    return fail(
      `generation ${generation} in the kernel, ${status.generation} by the agent`,
      'the agent has another pin root than this command, or is stuck: see --pin-root, tortie status and the log',
    );
  }
  if (status.repairs === 0) return ok(`generation ${generation}, nothing had to be repaired`);
  const causes = Object.entries(status.repairsByCause).map(([cause, count]) => `${cause} ${count}`);
  return warn(
    `repaired since the agent started: ${causes.join(', ')}`,
    'somebody works against the agent; each repair is in its log: journalctl -u tortie | grep \'"repaired"\'',
  );
}

async function checkTables(machine: Machine): Promise<Judgement> {
  const [status, tables] = [await machine.status(), await machine.tables()];
  if (status === undefined || tables === undefined) return skip('no agent to ask');
  const fills = tables.arrays.map(({ name, usedBytes, capacityBytes }) => {
    return { name, fill: usedBytes / capacityBytes, hint: policyRoomHint(name, capacityBytes) };
  });
  const room = tables.kernel?.flows ?? 0;
  if (room > 0) fills.push({ name: 'flows', fill: status.flows / room, hint: `raise maxFlows: ${AFTER_CLEANUP}` });
  const text = fills.map(({ name, fill }) => `${name} ${Math.round(100 * fill)} %`).join(', ');
  const full = fills.filter(({ fill }) => fill >= NEARLY_FULL);
  if (full.length === 0) return ok(text);
  const hint = full.map((one) => `${one.name}: ${one.hint}`).join('; ');
  return full.some(({ fill }) => fill >= FULL) ? fail(text, hint) : warn(text, hint);
}

/** What helps a table of policy that is full; which setting that is, and whether it can be raised at all. */
function policyRoomHint(name: string, capacityBytes: number): string {
  const { setting, mostBytes } = POLICY_ROOM[name] ?? { setting: name, mostBytes: 0 };
  const fewer = 'have fewer rules (tortie lint --live), or take changes back: tortie history, tortie rollback';
  if (capacityBytes >= mostBytes) return `${setting} is at its maximum: ${fewer}`;
  return `${fewer}; or raise ${setting}: ${AFTER_CLEANUP}`;
}

function checkDisk(machine: Machine): Judgement {
  const { stateDirectory } = machine.places;
  const disk = machine.disk(stateDirectory);
  if (disk === undefined) return skip(`${stateDirectory} is not there`);
  const { freeBytes, totalBytes, freeInodes } = disk;
  const found = `${Math.floor(freeBytes / MIB)} MiB of ${Math.floor(totalBytes / MIB)} MiB free at ${stateDirectory}`;
  const hint = 'make room there: changes over the API are refused while nothing can be written; verdicts stay';
  if (freeBytes < 8 * MIB || freeInodes === 0) return fail(freeInodes === 0 ? `${found}, no inode free` : found, hint);
  return freeBytes < 64 * MIB ? warn(found, hint) : ok(found);
}

function checkDescriptors(machine: Machine): Judgement {
  const [open, , most] = (machine.read('/proc/sys/fs/file-nr') ?? '').trim().split(/\s+/);
  const soft = /^Max open files\s+(\S+)/m.exec(machine.read('/proc/self/limits') ?? '')?.[1];
  if (open === undefined || most === undefined || soft === undefined) return skip('/proc does not tell');
  const found = `${open} of ${most} open on this machine, ${soft} allowed for a process`;
  if (Number(open) / Number(most) >= FULL) return fail(found, `sysctl -w fs.file-max=${2 * Number(most)}`);
  if (Number(soft) < 1024) return warn(found, 'LimitNOFILE=65536 in the unit; the agent holds two for each interface');
  return ok(found);
}

function checkOwnership(machine: Machine): Judgement {
  const { stateDirectory, socket } = machine.places;
  const places = [
    stateDirectory,
    join(stateDirectory, 'interfaces.json'),
    join(stateDirectory, 'settled.json'),
    socket,
  ];
  const known = places.flatMap((path) => {
    const facts = machine.stat(path);
    return facts === undefined ? [] : [{ path, ...facts }];
  });
  if (known.length === 0) return skip('there is neither state nor a socket');
  const others = known.find(({ uid }) => uid !== known[0]?.uid);
  if (others !== undefined) {
    return fail(`${others.path} belongs to user ${others.uid}`, `chown ${known[0]?.uid} ${others.path}`);
  }
  const open = known.find(({ mode }) => (mode & OTHERS_WRITE) !== 0) ?? known.find(({ mode }) => (mode & OTHERS) !== 0);
  if (open === undefined) return ok(`${known.length} files of user ${known[0]?.uid}, nobody else's`);
  const mode = open.mode.toString(8).padStart(4, '0');
  const hint = `chmod ${open.isDirectory ? 'u=rwx' : 'u=rw'},go= ${open.path}`;
  const found = `${open.path} has mode ${mode}`;
  return (open.mode & OTHERS_WRITE) !== 0 ? fail(found, hint) : warn(found, hint);
}

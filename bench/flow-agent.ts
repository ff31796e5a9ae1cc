// A real agent that keeps flow logs, in a network of its own: what it says of them, its processor time and its memory.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowLogStatus } from '../src/agent/flows/flow-log-service.ts';
import type { FlowStoreStatus } from '../src/agent/flows/flow-store-service.ts';
import type { AgentStatus } from '../src/agent/status.ts';
import type { Arena } from '../src/bench/arena.ts';
import { ROUTER } from '../src/bench/arena-spec.ts';
import { agentSocket, openArena } from '../src/bench/deciders.ts';
import { askAgent } from '../src/cli/agent-client.ts';
import { FlowSource } from './flow-source.ts';
import { CLIENT, CLIENT_ADDRESS, GUESTS } from './forward-world.ts';

/** USER_HZ, which is 100 wherever Linux runs. */
const TICKS_PER_SECOND = 100;
const STORE_PROCESS = 'store-process-main.js';
/** Of both processes, in seconds. */
export interface ProcessorTime {
  readonly agent: number;
  readonly store: number;
}

export class FlowAgent {
  readonly arena: Arena;
  readonly pid: number;

  private constructor(arena: Arena) {
    this.arena = arena;
    this.pid = agentPid(arena);
  }

  /** Once its policy is in force. */
  static async start(manifests: string, agentFlags: readonly string[]): Promise<FlowAgent> {
    const arena = await openArena(GUESTS, { kind: 'tortie', manifests, agentFlags });
    try {
      return new FlowAgent(arena);
    } catch (error) {
      await arena.close();
      throw error;
    }
  }

  /** Opens flows of the client's; it ends with the agent. */
  source(): FlowSource {
    const { arena } = this;
    const { hostInterface, mac } = arena.guest(CLIENT);
    const source = new FlowSource({
      pinRoot: join(arena.bpffs, 'tortie'),
      namespacePath: arena.namespacePath(ROUTER),
      hostInterface,
      mac,
      address: CLIENT_ADDRESS,
    });
    arena.onClose(() => source.close());
    return source;
  }

  async flowLogs(): Promise<FlowLogStatus> {
    return (await this.#status()).flowLogs;
  }

  /** As the kernel counts them. */
  async newFlows(): Promise<number> {
    return (await this.#status()).counters.allowed_new?.packets ?? 0;
  }

  #status(): Promise<AgentStatus> {
    return askAgent(agentSocket(this.arena), 'GET', '/v1/status');
  }

  store(): Promise<FlowStoreStatus> {
    return askAgent(agentSocket(this.arena), 'GET', '/flows/store');
  }

  /** Packets of all flows that are stored. */
  async storedPackets(): Promise<number> {
    const path = '/flows/top?by=namespace&measure=packets';
    const { items } = await askAgent<{ items: { packets: number }[] }>(agentSocket(this.arena), 'GET', path);
    return items.reduce((sum, { packets }) => sum + packets, 0);
  }

  /** User and system time of all threads since each began. */
  processorTime(): ProcessorTime {
    const store = childOf(this.pid, STORE_PROCESS);
    return { agent: processorSeconds(this.pid), store: store === undefined ? 0 : processorSeconds(store) };
  }

  /** Resident, without the kernel's arrays, which it maps. */
  residentBytes(): number {
    const mappings = readFileSync(`/proc/${this.pid}/smaps`, 'utf8').split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
    const own = mappings.filter((mapping) => !mapping.split('\n', 1)[0]?.includes('bpf-map'));
    return own.reduce((sum, mapping) => sum + 1024 * Number(/^Rss:\s+(\d+) kB$/m.exec(mapping)?.[1] ?? 0), 0);
  }

  close(): Promise<void> {
    return this.arena.close();
  }
}

function agentPid({ directory }: Arena): number {
  const isOurs = (words: readonly string[]): boolean =>
    words.includes('agent') && words.some((word) => word.startsWith(`${directory}/`));
  const pid = processes().find((one) => isOurs(commandOf(one)));
  if (pid === undefined) throw new Error('the agent is not running');
  return pid;
}

function childOf(parent: number, program: string): number | undefined {
  return processes().find(
    (pid) => commandOf(pid).some((word) => word.endsWith(program)) && Number(statOf(pid)[1]) === parent,
  );
}

function processes(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? Number(name) : []));
}

function commandOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Fields of /proc/PID/stat behind the name: state, parent, and so on. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function processorSeconds(pid: number): number {
  const fields = statOf(pid);
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

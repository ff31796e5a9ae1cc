// Machines of a traffic test as guests on one cable, whose step servers are spoken to over a serial port: the cable itself carries
// nothing but what is tested. The same test in Vagrant's machines: ssh-machines.ts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { findProject } from '../lab/project.ts';
import { runGuest } from '../vm/guest.ts';
import { checkMemory, findTools } from '../vm/host-needs.ts';
import { type CachedKernel, ensureKernel } from '../vm/kernel-cache.ts';
import { Cable } from './cable.ts';
import type { Carrier, Line } from './machine.ts';

export interface GuestSpec {
  readonly name: string;
  /** As `npm run vm -- --kernel` takes it. */
  readonly kernel: string;
  readonly memoryMb: number;
  readonly cpus: number;
  /** Last part of its addresses on the cable, 192.168.77.x and fd77::x, the latter in decimal digits as well. */
  readonly number: number;
  /** An image that holds what it is beyond this machine's files: then systemd runs in it, and what it writes is there after a reboot. */
  readonly disk?: string;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
export const STEP_SERVER = join('dist-tools', 'tools', 'traffic', 'step-server.js');
const LIMIT_MS = 1_200_000;
const COMPLAINTS_KEPT = 4000;

export class VmCarrier implements Carrier {
  readonly isLasting = false;
  readonly largestMtu = 9000;
  readonly #specs: ReadonlyMap<string, GuestSpec>;
  readonly #kernels = new Map<string, CachedKernel>();
  readonly #folder: string;
  readonly #cable: Cable;
  readonly #lines = new Set<Line>();

  private constructor(specs: readonly GuestSpec[], folder: string, cable: Cable) {
    this.#specs = new Map(specs.map((spec) => [spec.name, spec]));
    this.#folder = folder;
    this.#cable = cable;
  }

  /** Fetches the kernels that are missing; `tell` hears about it. Throws VmFailure. */
  static async create(specs: readonly GuestSpec[], tell: (what: string) => void): Promise<VmCarrier> {
    findTools();
    checkMemory(
      specs.reduce((sum, { memoryMb }) => sum + memoryMb, 0),
      1,
    );
    const folder = mkdtempSync(join(tmpdir(), `tortie-vm-${process.pid}-cable-`));
    const carrier = new VmCarrier(specs, folder, await Cable.open(join(folder, 'cable')));
    try {
      for (const { kernel } of specs) carrier.#kernels.set(kernel, await ensureKernel(kernel, tell));
    } catch (error) {
      await carrier.close();
      throw error;
    }
    return carrier;
  }

  async open(name: string): Promise<Line> {
    const spec = this.#specs.get(name);
    const kernel = this.#kernels.get(spec?.kernel ?? '');
    if (spec === undefined || kernel === undefined) throw new Error(`no guest ${name}`);
    const { memoryMb, cpus, number, disk } = spec;
    const [toServer, fromServer] = [new PassThrough(), new PassThrough()];
    let complaints = '';
    const root = findProject();
    const run = runGuest({
      ...{ tools: findTools(), kernel, memoryMb, cpus, limitMs: LIMIT_MS, disk },
      task: {
        words: [process.execPath, join(root, STEP_SERVER)],
        cwd: root,
        env: { PATH, HOME: '/root', LANG: 'C.UTF-8' },
        // The guest counts from 1.
        index: number - 1,
        isSystem: disk !== undefined,
      },
      cable: { socket: this.#cable.path, end: 'joins', mac: `52:54:00:77:00:${String(number).padStart(2, '0')}` },
      onInput: (input) => toServer.pipe(input),
      onOutput: (chunk, stream) => {
        if (stream === 'out') fromServer.write(chunk);
        else complaints = (complaints + chunk).slice(-COMPLAINTS_KEPT);
      },
    });
    const ended = run.then(
      (code) => `exit code ${code}\n${complaints}`,
      (error: Error) => `${error.message}\n${complaints}`,
    );
    const line = { toServer, fromServer, ended };
    this.#lines.add(line);
    void ended.then(() => this.#lines.delete(line));
    return line;
  }

  /** The old guest ends with all it knew but its disk; a new one boots in its place on the cable. */
  async reboot(name: string, line: Line): Promise<Line> {
    line.toServer.end();
    await line.ended;
    return this.open(name);
  }

  async close(): Promise<void> {
    const lines = [...this.#lines];
    for (const { toServer } of lines) toServer.end();
    await Promise.all(lines.map(({ ended }) => ended));
    this.#cable.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

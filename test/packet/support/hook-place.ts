// An interface in a namespace of the test's own, what is on its hooks, and the programs of hook.bpf.c. What ought to be there
// is not known here.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AttachTarget } from '../../../src/kernel/attachment.ts';
import type { AttachDirection, BpfObject, BpfProgram, ClsactFilter } from '../../../src/kernel/native.ts';
import { builtFile, loadNative } from '../../../src/kernel/native.ts';
import { Namespace } from '../../abi/native/fixture.ts';

const KINDS = ['ours', 'stand_in', 'later'] as const;

export class HookPlace {
  readonly target: AttachTarget;
  readonly #namespace: Namespace;
  readonly #peer: Namespace;
  readonly #object: BpfObject;
  readonly #names = new Map<number, string>();

  /** An interface of that name, whose other end answers to 192.0.2.2. */
  constructor(name = 'one') {
    this.#namespace = new Namespace(`hook-${name}`);
    this.#peer = new Namespace(`peer-${name}`);
    this.#namespace.ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'two', 'netns', this.#peer.name);
    this.#peer.ip('address', 'add', '192.0.2.2/24', 'dev', 'two');
    this.#peer.ip('link', 'set', 'two', 'up');
    this.#namespace.ip('address', 'add', '192.0.2.1/24', 'dev', name);
    this.#namespace.ip('link', 'set', name, 'up');
    this.#object = loadNative().BpfObject.open(builtFile('build/bpf/test/hook.bpf.o'), {});
    const links = this.run(() => loadNative().linkList());
    this.target = { name, ifindex: links.find((link) => link.name === name)?.ifindex ?? 0 };
    for (const program of this.#object.programs) this.#names.set(this.program(program).info.id, program);
  }

  /** Runs in the interface's namespace. */
  run<T>(call: () => T): T {
    return loadNative().inNamespace(`/run/netns/${this.#namespace.name}`, call);
  }

  program(name: string): BpfProgram {
    return this.#object.program(name);
  }

  both(name: string): { ingress: BpfProgram; egress: BpfProgram } {
    return { ingress: this.program(name), egress: this.program(name) };
  }

  /** By name, in the order in which packets meet them; programs of another object by number. */
  programs(direction: AttachDirection): string[] {
    return this.run(() => loadNative().tcxQuery(this.target.ifindex, direction)).map((id) => this.#nameOf(id));
  }

  /** As `<handle> <program>`. */
  filters(direction: AttachDirection): string[] {
    const filters: readonly ClsactFilter[] = this.run(() => loadNative().clsactFilters(this.target.ifindex, direction));
    return filters.map(({ handle, programId }) => `${handle.toString(16)} ${this.#nameOf(programId)}`);
  }

  addFilter(program: string, direction: AttachDirection, handle: number): void {
    this.run(() => loadNative().clsactAttach(this.program(program), this.target.ifindex, direction, handle, 1));
  }

  /** Packets that leave the interface until `work` has been done `times` times; and how often each program was run meanwhile. */
  async countRuns(times: number, work: () => void): Promise<{ sent: number; runs: Record<string, number> }> {
    const before = this.#counts();
    const flood = spawn('nsenter', [`--net=/run/netns/${this.#namespace.name}`, 'ping', '-f', '-q', '192.0.2.2'], {
      stdio: 'ignore',
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let turn = 0; turn < times; turn += 1) work();
    flood.kill('SIGINT');
    await once(flood, 'close');
    const after = this.#counts();
    const runs = Object.fromEntries(KINDS.map((kind, at) => [kind, (after.runs[at] ?? 0) - (before.runs[at] ?? 0)]));
    return { sent: after.sent - before.sent, runs };
  }

  close(): void {
    this.#object.close();
    this.#namespace.close();
    this.#peer.close();
  }

  /** Of one moment: the kernel asks for its neighbours whenever it likes. */
  #counts(): { sent: number; runs: number[] } {
    const words = new BigUint64Array(this.#object.map('runs').mmap());
    for (;;) {
      const sent = this.#sent();
      const runs = [...words].map(Number);
      if (sent === this.#sent()) return { sent, runs };
    }
  }

  #sent(): number {
    const { name } = this.target;
    const statistics = execFileSync('ip', ['-n', this.#namespace.name, '-j', '-s', 'link', 'show', 'dev', name]);
    const [link] = JSON.parse(statistics.toString()) as [{ stats64: { tx: { packets: number } } }];
    return link.stats64.tx.packets;
  }

  #nameOf(id: number): string {
    return this.#names.get(id) ?? String(id);
  }
}

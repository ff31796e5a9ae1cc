// Keeps the guard on its interfaces: looks again when one appears, changes or vanishes, and every few seconds, because somebody may
// take it off without a word. Which interfaces is guard-choice.ts; how is kernel/guard-links.ts.
import { readFileSync } from 'node:fs';
import type { Logger } from '../../base/log.ts';
import type { CaredInterface } from '../../kernel/guard-care.ts';
import { GuardLinks } from '../../kernel/guard-links.ts';
import type { BpfProgram, LinkMonitor, NetworkLink, XdpMode } from '../../kernel/native.ts';
import { loadNative, translateErrors } from '../../kernel/native.ts';
import type { Repair } from '../../kernel/repair.ts';
import { type CareQuestion, careOf, isPlain, needsGeneric } from './frame-care.ts';
import { chooseInterfaces } from './guard-choice.ts';

const AUDIT_MS = 5000;

export interface GuardedStatus {
  readonly interface: string;
  readonly state: 'guarded' | 'error';
  readonly mode: XdpMode | null;
  /** Empty = nothing is wrong. */
  readonly reason: string;
}

export interface GuardAsked extends CareQuestion {
  /** There are blocked sources. */
  readonly dropsSources: boolean;
}

export interface KeeperOptions {
  /** As chooseInterfaces takes it; may change. */
  readonly setting: () => string;
  readonly isWorkload: (name: string) => boolean;
  /** What is to be done; asked at each look. */
  readonly asked: () => GuardAsked;
  /** Called at each look with the interfaces on which more is done than looking at sources. */
  readonly onCare: (interfaces: readonly CaredInterface[]) => void;
  readonly onRepair: (repairs: readonly Repair[]) => void;
  readonly log: Logger;
}

export class GuardKeeper {
  readonly #options: KeeperOptions;
  readonly #links: GuardLinks;
  #program: BpfProgram | undefined;
  #monitor: LinkMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isDue = false;
  #statuses: readonly GuardedStatus[] = [];
  #lack: string | undefined;

  /** `directory` holds the pins. What an agent before has attached stays as it is until `begin`. Throws PERMISSION and KERNEL. */
  constructor(directory: string, options: KeeperOptions) {
    this.#links = new GuardLinks(directory);
    this.#options = options;
  }

  /** As of the last look. */
  get statuses(): readonly GuardedStatus[] {
    return this.#statuses;
  }

  /** Why no interface is guarded, or one that should be is not; undefined = all are. */
  get lack(): string | undefined {
    return this.#lack ?? this.#statuses.find(({ state }) => state === 'error')?.reason;
  }

  /**
   * Has the program on every interface that it belongs on, now and from here on; what keeps it from that is told by `lack`. Where
   * that is so already nothing is looked at, unless what is asked has changed.
   */
  begin(program: BpfProgram, isNews: boolean): void {
    if (this.#timer !== undefined && this.#program === program && !isNews) return;
    this.#program = program;
    this.#timer ??= setInterval(() => this.lookAgain(), AUDIT_MS);
    this.lookAgain();
    this.#watch();
  }

  /** Takes it off all of them. */
  end(): void {
    this.#rest();
    this.#program = undefined;
    this.#statuses = [];
    this.#lack = undefined;
    for (const ifindex of this.#links.interfaces) this.#links.release(ifindex);
  }

  /** The program of a larger table, in the place of the one before; where that fails the next look does it. */
  replaceProgram(program: BpfProgram): void {
    this.#program = program;
    for (const failure of this.#links.replaceProgram(program)) {
      this.#options.log.error('a larger table is not in force yet', { error: failure.message });
    }
  }

  /** What fails is tried again a few seconds later. */
  lookAgain(): void {
    try {
      this.#look();
    } catch (error) {
      this.#lack = (error as Error).message;
      this.#options.log.error('guarded interfaces not looked at', { error: this.#lack });
    }
  }

  /** Programs stay where they are. */
  close(): void {
    this.#rest();
    this.#links.close();
  }

  #rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#monitor?.close();
    this.#monitor = undefined;
  }

  /** Once for many changes. */
  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.lookAgain();
    });
  }

  /** Looks every few seconds in any case. */
  #watch(): void {
    try {
      this.#monitor ??= loadNative().LinkMonitor.open(({ filters }) => {
        if (!filters) this.#lookSoon();
      });
    } catch (error) {
      this.#options.log.error('interfaces are not watched', { error: String(error) });
    }
  }

  #look(): void {
    const program = this.#program;
    if (program === undefined) return;
    const links = translateErrors('list interfaces', 'rtnetlink', () => loadNative().linkList());
    const { setting, isWorkload, log } = this.#options;
    const asked = this.#options.asked();
    const { wanted, lack } = chooseInterfaces(setting(), links, {
      isWorkload,
      isGuarded: ({ ifindex }) => this.#links.interfaces.includes(ifindex),
      read: readIfThere,
      isAskedFor: (link) => asked.hasUntracked(link.ifindex) && isPlain(link, links),
      coversOutside: asked.dropsSources || asked.countsSyns,
    });
    if (lack !== undefined && lack !== this.#lack) log.warn('blocked sources are not dropped', { reason: lack });
    this.#lack = lack;
    const numbers = new Set(wanted.map(({ ifindex }) => ifindex));
    for (const ifindex of this.#links.interfaces) if (!numbers.has(ifindex)) this.#links.release(ifindex);
    this.#statuses = wanted.map((link) => this.#ensure(link, program, asked));
    this.#options.onCare(careOf(links, new Set(this.#links.interfaces), asked));
  }

  #ensure(link: NetworkLink, program: BpfProgram, { countsSyns }: GuardAsked): GuardedStatus {
    const before = this.#statuses.find((status) => status.interface === link.name);
    try {
      const target = { ...link, needsGeneric: needsGeneric(link, countsSyns) };
      const { mode, repairs } = this.#links.ensure(target, program);
      if (repairs.length > 0) this.#options.onRepair(repairs);
      if (before?.state !== 'guarded') this.#options.log.info('interface guarded', { interface: link.name, mode });
      return { interface: link.name, state: 'guarded', mode, reason: '' };
    } catch (error) {
      const { message } = error as Error;
      if (before?.reason !== message) {
        this.#options.log.error('blocked sources are not dropped', { interface: link.name, error: message });
      }
      return { interface: link.name, state: 'error', mode: null, reason: message };
    }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

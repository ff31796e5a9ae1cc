// What has to be undone when a section ends, or when a signal ends the run first.

type Undo = () => unknown;

/** Exit codes by signal, as shells have them. */
const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

/**
 * While there is nothing to undo, signals are left to the kernel, which ends the process even in the middle of a long
 * measurement.
 */
export class UndoStack {
  readonly #actions: Undo[] = [];
  readonly #report: (text: string) => void;
  #isEnding = false;

  /** `report` hears what could not be undone. */
  constructor(report: (text: string) => void) {
    this.#report = report;
  }

  readonly add = (action: Undo): void => {
    if (this.#actions.push(action) === 1) for (const signal of signals()) process.on(signal, this.#end);
  };

  /** Undoes all, last first. A failure does not keep the others from being undone. */
  async undoAll(): Promise<void> {
    for (let action = this.#actions.pop(); action !== undefined; action = this.#actions.pop()) {
      try {
        await action();
      } catch (error) {
        this.#report(`not undone: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    if (!this.#isEnding) for (const signal of signals()) process.off(signal, this.#end);
  }

  readonly #end = (signal: NodeJS.Signals): void => {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#report(`${signal}: undoing what was set up`);
    void this.undoAll().finally(() => process.exit(SIGNALS[signal]));
  };
}

function signals(): NodeJS.Signals[] {
  return Object.keys(SIGNALS) as NodeJS.Signals[];
}

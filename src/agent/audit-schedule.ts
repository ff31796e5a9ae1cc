// When programs on interfaces are to be looked at, and the interfaces listed: after whatever tells of a change, and every few
// seconds, because somebody may take our programs off without a word. A change of policy alone waits for neither. Looks at nothing itself.

/** Interfaces tell of themselves, all but a peer's MAC address in another namespace: one audit of so many lists them. */
const AUDITS_PER_LISTING = 6;

export interface AuditWanted {
  readonly isAudit: boolean;
  readonly isListing: boolean;
}

export class AuditSchedule {
  readonly #onDue: () => void;
  #timer: NodeJS.Timeout | undefined;
  // The first run looks at everything.
  #wanted: AuditWanted = { isAudit: true, isListing: true };
  #audits = 0;

  /** `onDue` is called whenever an audit is due, once what it will find wanted has been noted. */
  constructor(onDue: () => void) {
    this.#onDue = onDue;
  }

  /** From now on, so often; may be called again. */
  begin(everySeconds: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(() => {
      this.#audits += 1;
      this.want({ isListing: this.#audits % AUDITS_PER_LISTING === 0 });
      this.#onDue();
    }, 1000 * everySeconds);
  }

  want({ isListing }: Pick<AuditWanted, 'isListing'>): void {
    this.#wanted = { isAudit: true, isListing: this.#wanted.isListing || isListing };
  }

  /** What is wanted now; nothing is from then on. */
  take(): AuditWanted {
    const wanted = this.#wanted;
    this.#wanted = { isAudit: false, isListing: false };
    return wanted;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

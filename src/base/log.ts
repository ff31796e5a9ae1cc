// Structured log lines: one JSON object each, for people with jq and for machines. Where they go is the caller's choice.
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

export class Logger {
  readonly #write: (line: string) => void;
  #minimum: number;
  readonly #now: () => Date;

  constructor(options: {
    readonly write: (line: string) => void;
    readonly level: LogLevel;
    readonly now?: () => Date;
  }) {
    this.#write = options.write;
    this.#minimum = ORDER[options.level];
    this.#now = options.now ?? (() => new Date());
  }

  /** Lines less severe than this are left out from here on. */
  setLevel(level: LogLevel): void {
    this.#minimum = ORDER[level];
  }

  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('debug', message, fields);
  }

  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.#log('error', message, fields);
  }

  #log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (ORDER[level] < this.#minimum) return;
    this.#write(`${JSON.stringify({ time: this.#now().toISOString(), level, message, ...fields })}\n`);
  }
}

// One line now and then about long work: what is done, how fast, how much is left.

const EVERY_MS = 10_000;

export class Progress {
  readonly #subject: string;
  readonly #total: number;
  readonly #unit: string;
  readonly #start = performance.now();
  #done = 0;
  #last = this.#start;

  constructor(subject: string, total: number, unit: string) {
    this.#subject = subject;
    this.#total = total;
    this.#unit = unit;
  }

  get left(): number {
    return this.#total - this.#done;
  }

  add(count: number): void {
    this.#done += count;
    const now = performance.now();
    if (now - this.#last < EVERY_MS) return;
    this.#last = now;
    const seconds = (now - this.#start) / 1000;
    const left = Math.round((this.left * seconds) / this.#done);
    this.#say(`${format(this.#done)} of ${format(this.#total)} ${this.#unit}, about ${left} s left`);
  }

  end(): void {
    const seconds = (performance.now() - this.#start) / 1000;
    this.#say(`${format(this.#done)} ${this.#unit} in ${seconds.toFixed(1)} s`);
  }

  #say(text: string): void {
    console.info(`${this.#subject}: ${text}`);
  }
}

function format(count: number): string {
  return count.toLocaleString('en');
}

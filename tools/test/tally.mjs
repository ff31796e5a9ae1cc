// A vitest reporter that only counts. Errors outside any test count as failures, so that the line tells the whole truth.

export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  onTestRunEnd(modules, unhandledErrors) {
    this.failed += unhandledErrors.length;
    for (const module of modules) this.#countModule(module);
  }

  /** `N passed, N failed`, and `, N skipped` if there are any. */
  line() {
    const skipped = this.skipped > 0 ? `, ${this.skipped} skipped` : '';
    return `${this.passed} passed, ${this.failed} failed${skipped}`;
  }

  #countModule(module) {
    this.failed += module.errors().length;
    for (const suite of module.children.allSuites()) this.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === 'passed') this.passed += 1;
      else if (state === 'skipped') this.skipped += 1;
      else this.failed += 1;
    }
  }
}

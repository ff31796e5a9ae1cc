// Rule lists by name, resolved while someone uses them. Part of PolicyResolver.
import type { ResolvedRules } from './resolved.ts';
import type { RuleLists, RuleScanner } from './rule-scanner.ts';
import type { Acquired } from './set-registry.ts';

export class SharedRules {
  readonly #scanner: RuleScanner;
  readonly #lists = new Map<string, RuleLists>();
  readonly #users = new Map<string, Set<string>>();
  readonly #acquired = new Map<string, Acquired<ResolvedRules>>();

  constructor(scanner: RuleScanner) {
    this.#scanner = scanner;
  }

  /** undefined = the list is gone; its users stay, for when it comes back. */
  set(name: string, rules: RuleLists | undefined): void {
    const before = this.#acquired.get(name);
    this.#acquired.delete(name);
    if (rules === undefined) this.#lists.delete(name);
    else this.#lists.set(name, rules);
    if (this.#users.has(name)) this.#acquire(name);
    before?.release();
  }

  /** The resolved list; undefined when there is no such list or nobody uses it. */
  get(name: string): ResolvedRules | undefined {
    return this.#acquired.get(name)?.value;
  }

  users(name: string): ReadonlySet<string> {
    return this.#users.get(name) ?? new Set();
  }

  addUser(name: string, user: string): void {
    const users = this.#users.get(name) ?? new Set();
    this.#users.set(name, users.add(user));
    this.#acquire(name);
  }

  removeUser(name: string, user: string): void {
    const users = this.#users.get(name);
    if (users === undefined) return;
    users.delete(user);
    if (users.size > 0) return;
    this.#users.delete(name);
    this.#acquired.get(name)?.release();
    this.#acquired.delete(name);
  }

  #acquire(name: string): void {
    const rules = this.#lists.get(name);
    if (rules === undefined || this.#acquired.has(name)) return;
    this.#acquired.set(name, this.#scanner.acquire(rules));
  }
}

// Policies or profiles by name, their rules resolved while someone uses them, and not even looked at before. Part of
// PolicyResolver.
import type { ResolvedRules } from './resolved.ts';
import type { RuleLists, RuleScanner } from './rule-scanner.ts';
import type { Acquired } from './set-registry.ts';

/** A policy or a profile. */
interface RuleOwner {
  readonly rules: RuleLists;
}

export class SharedRules {
  readonly #scanner: RuleScanner;
  readonly #owners = new Map<string, RuleOwner>();
  readonly #users = new Map<string, Set<string>>();
  readonly #acquired = new Map<string, Acquired<ResolvedRules>>();

  constructor(scanner: RuleScanner) {
    this.#scanner = scanner;
  }

  /** undefined = the owner is gone; its users stay, for when it comes back. */
  set(name: string, owner: RuleOwner | undefined): void {
    if (owner === undefined) this.#owners.delete(name);
    else this.#owners.set(name, owner);
    if (!this.#users.has(name)) return;
    const before = this.#acquired.get(name);
    this.#acquired.delete(name);
    this.#acquire(name);
    before?.release();
  }

  /** The resolved list; undefined when there is no such list or nobody uses it. */
  get(name: string): ResolvedRules | undefined {
    return this.#acquired.get(name)?.value;
  }

  users(name: string): ReadonlySet<string> {
    return this.#users.get(name) ?? NOBODY;
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
    const owner = this.#owners.get(name);
    if (owner === undefined || this.#acquired.has(name)) return;
    this.#acquired.set(name, this.#scanner.acquire(owner.rules));
  }
}

const NOBODY: ReadonlySet<string> = new Set();

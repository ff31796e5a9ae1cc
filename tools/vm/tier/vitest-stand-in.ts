// What the tests of the guest get for `vitest`: its own runner and matchers without the rest, which would take a slow guest
// half a minute to start. Only what tests of the tiers packet and host use.
import {
  ASYMMETRIC_MATCHERS_OBJECT,
  chai,
  customMatchers,
  getState,
  JestAsymmetricMatchers,
  JestChaiExpect,
  JestExtend,
  setState,
} from '@vitest/expect';

// biome-ignore lint/performance/noBarrelFile: it stands in for a package, which is one
export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, test } from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

type Expect = typeof chai.expect & Record<string, unknown>;

const judge = ((value: unknown, message?: string) => chai.expect(value, message)) as Expect;
Object.assign(judge, chai.expect, (globalThis as Record<symbol, unknown>)[ASYMMETRIC_MATCHERS_OBJECT]);
setState({ assertionCalls: 0 }, judge as never);
judge.getState = () => getState(judge as never);
(chai.expect as unknown as { extend: (on: Expect, matchers: unknown) => void }).extend(judge, customMatchers);

export const expect = judge;

interface Patience {
  readonly timeout?: number;
  readonly interval?: number;
}

export const vi = {
  /** The first true answer, asked for until `timeout` milliseconds have gone by. */
  waitUntil<T>(ask: () => T | Promise<T>, patience: number | Patience = {}): Promise<T> {
    return insist(async () => {
      const answer = await ask();
      if (!answer) throw new Error('not true in time');
      return answer;
    }, patience);
  },
  /** What the call gives once it no longer throws. */
  waitFor<T>(call: () => T | Promise<T>, patience: number | Patience = {}): Promise<T> {
    return insist(async () => call(), patience);
  },
};

async function insist<T>(call: () => Promise<T>, patience: number | Patience): Promise<T> {
  const { timeout = 1000, interval = 50 } = typeof patience === 'number' ? { timeout: patience } : patience;
  const end = performance.now() + timeout;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, interval));
  }
}

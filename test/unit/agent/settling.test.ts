import { describe, expect, it } from 'vitest';
import type { SettledState } from '../../../src/agent/resume-point.ts';
import { Settling } from '../../../src/agent/settling.ts';
import type { DesiredState } from '../../../src/calc/resolved.ts';
import type { Wiring } from '../../../src/kernel/wiring.ts';

const stateOf = (): DesiredState => ({
  endpoints: new Map(),
  hostEndpoints: new Map(),
  hostSettings: new Map(),
  prefixes: new Map(),
});

/** A resume point that remembers what it was told, and an agent whose parts are as the test says. */
class Rest {
  cleared = 0;
  isThere = false;
  describe: (() => SettledState | undefined) | undefined;
  inForce: DesiredState | undefined;
  errors: string[] = [];
  isPending = false;
  policy: string | undefined = 'policy';
  revision = 1;

  settling(): Settling {
    const rest = this;
    return new Settling({
      resumePoint: {
        read: () => undefined,
        clear: () => {
          this.cleared += 1;
        },
        get isThere() {
          return rest.isThere;
        },
        writeSoon: (describe) => {
          this.describe = describe;
        },
        close: () => {},
      },
      dataplane: { policyFingerprint: () => this.policy },
      memory: {
        get revision() {
          return rest.revision;
        },
        digest: () => 'manifests',
      },
      feed: { status: () => ({ files: 1, objects: 7, errors: this.errors }) as never },
      stored: {
        get isPending() {
          return rest.isPending;
        },
      },
      inForce: () => this.inForce,
    });
  }
}

describe('what is in force, at rest', () => {
  const desired = stateOf();
  const wiring: Wiring = { bindings: [], interfaces: [] };

  function settled(): { readonly rest: Rest; readonly settling: Settling } {
    const rest = new Rest();
    const settling = rest.settling();
    settling.expect(desired, wiring);
    settling.note(desired, wiring);
    rest.inForce = desired;
    return { rest, settling };
  }

  it('is written down as it was applied', () => {
    expect(settled().rest.describe?.()).toEqual({
      manifests: 'manifests',
      objects: 7,
      policy: 'policy',
      endpoints: desired.endpoints,
      wiring,
    });
  });

  it.each([
    ['something else must be in force', (rest: Rest) => Object.assign(rest, { inForce: stateOf() })],
    ['something is not in force', (rest: Rest) => Object.assign(rest, { inForce: undefined })],
    ['a manifest was refused', (rest: Rest) => rest.errors.push('refused')],
    ['a change waits to be confirmed', (rest: Rest) => Object.assign(rest, { isPending: true })],
    ['the kernel holds nothing of ours', (rest: Rest) => Object.assign(rest, { policy: undefined })],
  ])('is not written down where %s', (_, change) => {
    const { rest } = settled();
    change(rest);
    expect(rest.describe?.()).toBeUndefined();
  });

  it('is taken back before anything else is applied, and not for the same again', () => {
    const { rest, settling } = settled();
    const before = rest.cleared;
    settling.expect(desired, wiring);
    settling.note(desired, wiring);
    expect(rest.cleared).toBe(before);
    settling.expect(stateOf(), wiring);
    expect(rest.cleared).toBe(before + 1);
    expect(rest.describe?.()).toBeUndefined();
  });

  it.each(['bindings', 'interfaces'] as const)('is taken back before it is tied to other %s', (part) => {
    const { rest, settling } = settled();
    const before = rest.cleared;
    settling.expect(desired, { ...wiring, [part]: [] });
    expect(rest.cleared).toBe(before + 1);
  });

  it('is not written down twice', () => {
    const { rest, settling } = settled();
    rest.describe?.();
    rest.isThere = true;
    rest.describe = undefined;
    settling.expect(desired, wiring);
    settling.note(desired, wiring);
    expect(rest.describe).toBeUndefined();
    rest.revision += 1;
    settling.note(desired, wiring);
    expect(rest.describe).toBeDefined();
  });
});

import { describe, expect, it } from 'vitest';
import { parseDocuments } from '../../../src/resources/document.ts';
import { expectConformance } from '../../support/conformance/expect-conformance.ts';
import { networkPolicy, type PolicyPort } from '../../support/conformance/network-policy.ts';
import { KUBERNETES } from '../../support/conformance/suites.ts';

// Rules of a NetworkPolicy only allow; what it selects and no rule allows is denied, what it does not select its namespace allows.
describe(KUBERNETES.name, () => {
  expectConformance(KUBERNETES, ['knp allow', 'knp deny by default', 'pro allow']);

  describe('endPort, as the API server checks it', () => {
    it.each<[string, PolicyPort, boolean]>([
      ['without a port', { endPort: 20_000 }, false],
      ['with a named port', { port: 'serve-80', endPort: 20_000 }, false],
      ['below the port', { port: 30_000, endPort: 20_000 }, false],
      ['equal to the port', { port: 20_000, endPort: 20_000 }, true],
      ['above the port', { port: 10_000, endPort: 20_000 }, true],
    ])('%s', (_name, port, isAccepted) => {
      const manifest = networkPolicy('x', 'end-port', { egress: [{ ports: [port] }] });
      const { resources, errors } = parseDocuments(JSON.stringify(manifest), 'end-port.yaml');
      expect([resources.length, errors.length]).toEqual(isAccepted ? [1, 0] : [0, 1]);
    });
  });
});

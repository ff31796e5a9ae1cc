import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openPathEngine } from '../../../src/cli/path-engine.ts';
import { parsePathQuestion } from '../../../src/model/path-question.ts';
import { worldFrom } from '../../support/world-from.ts';

const directory = mkdtempSync(join(tmpdir(), 'tortie-paths-'));
const interfaces = join(directory, 'interfaces.json');
writeFileSync(interfaces, '[{"name":"eth0"},{"name":"eth1"}]');
afterAll(() => rmSync(directory, { recursive: true }));

const WORLD = worldFrom(`
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: a}
spec: {node: n1, interfaceName: eth0}
---
apiVersion: projectcalico.org/v3
kind: HostEndpoint
metadata: {name: b}
spec: {node: n2, interfaceName: eth1}
`);

const question = (name: string) =>
  parsePathQuestion({ src: '198.51.100.7', dst: '192.0.2.1', protocol: 'TCP', dstPort: 80, hook: 'to-host', in: name })
    .packet;

describe.each(['model', 'tables'] as const)('the path engine %s', (name) => {
  it("judges by the node's own host endpoints", () => {
    const engine = openPathEngine(name, WORLD, 'n1', interfaces);
    expect(['eth0', 'eth1'].map((each) => engine.evaluatePath(question(each)).verdict)).toEqual(['deny', 'allow']);
  });

  it('refuses an interface that there is not', () => {
    const engine = openPathEngine(name, WORLD, 'n1', interfaces);
    expect(() => engine.evaluatePath(question('eth7'))).toThrow(/in: no such interface: found eth7, .*eth0, eth1/);
  });
});

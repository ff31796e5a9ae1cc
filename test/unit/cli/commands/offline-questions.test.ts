import { describe, expect, it } from 'vitest';
import { runCommand } from '../../../support/run-command.ts';

const SHOP = ['--manifests', 'examples/three-tier/manifests'];
const FLOWS = 'examples/recorded-flows';
const TESTS = 'examples/policy-tests';

describe('exit codes', () => {
  it.each([
    ['nothing changes', ['simulate', ...SHOP, '--against', SHOP[1] as string, `${FLOWS}/shop.pcap`], 0],
    ['some flow changes', ['simulate', ...SHOP, `${FLOWS}/hubble.jsonl`], 1],
    ['nothing of the input can be read', ['simulate', ...SHOP, '--format', 'pcap', `${FLOWS}/monitor.jsonl`], 1],
    ['the input is not there', ['simulate', ...SHOP, `${FLOWS}/nothing`], 1],
    ['the manifests are not there', ['simulate', '--manifests', 'no/such/directory', `${FLOWS}/shop.pcap`], 3],
    ['tests pass', ['test', `${TESTS}/three-tier.yaml`], 0],
    ['tests fail', ['test', `${TESTS}/three-tier.yaml`, `${TESTS}/failing.yaml`], 1],
    ['a file of tests is none', ['test', 'examples/three-tier/manifests/00-namespace.yaml'], 3],
    ['a matrix without its port', ['matrix', ...SHOP], 2],
    ['a matrix of a namespace that is not there', ['matrix', ...SHOP, '--port', '1', '--namespace', 'shp'], 1],
    ['a matrix', ['matrix', ...SHOP, '--port', '1'], 0],
  ])('of %s', async (_name, words, code) => {
    expect((await runCommand(words)).code).toBe(code);
  });
});

describe('answers as data', () => {
  it('has the same rows in JSON, with deciders and examples', async () => {
    const { answer } = await runCommand(['simulate', ...SHOP, '--output', 'json', `${FLOWS}/whisker.json`]);
    expect(JSON.parse(answer)).toMatchObject({
      view: 'enforced',
      input: { records: 7, unreadable: { count: 0 } },
      totals: { flows: 7, changed: 1, unchanged: 4, reportedTwice: 1, unresolved: 1 },
      rows: [
        {
          source: 'shop/web-1',
          destination: 'public network',
          before: 'allow',
          after: 'deny',
          decidedBy: [{ direction: 'egress', rule: 'default|gnp:default-deny|deny|-1' }],
          example: { src: '10.65.0.10', dstPort: 443 },
        },
        {},
        {},
        {},
        {},
      ],
    });
  });

  it('has every cell of a matrix, with pending verdicts only when asked for', async () => {
    const words = ['matrix', ...SHOP, '--port', '8080', '--output', 'json'];
    const plain = await runCommand(words);
    expect(plain.answer).not.toContain('pending');
    const pending = await runCommand([...words, '--pending']);
    expect(JSON.parse(pending.answer)).toMatchObject({
      columns: [{ members: ['shop/api-1', 'shop/db-1'] }, { members: ['shop/web-1'] }, { kind: 'world' }],
      cells: [
        [{}, {}, {}],
        [{ verdict: 'deny' }, { verdict: 'allow', pending: 'deny' }, { verdict: 'none' }],
      ],
    });
  });
});

describe('answers about workloads, where hosts have policy too', () => {
  const HOST = ['--manifests', 'examples/hosts/docker-host/manifests'];
  const WARNING =
    /^warning: this is about workloads alone: policy of host endpoints is left out.*gnp\/.*tortie verdict/m;

  it.each([
    ['matrix', ['matrix', ...HOST, '--port', '80']],
    ['render', ['render', ...HOST, '--to', 'nftables']],
    ['simulate', ['simulate', ...HOST, `${FLOWS}/whisker.json`]],
  ])('say so: %s', async (_name, words) => {
    const { output, answer } = await runCommand(words);
    expect(output).toMatch(WARNING);
    expect(answer).not.toMatch(WARNING);
  });

  it('say nothing of it where hosts have none', async () => {
    expect((await runCommand(['matrix', ...SHOP, '--port', '80'])).output).not.toContain('warning');
  });

  it('say of a difference what is not in it', async () => {
    const { answer, code } = await runCommand(['diff', 'examples/hosts/docker-host/manifests', SHOP[1] as string]);
    expect([code, answer]).toEqual([
      expect.any(Number),
      expect.stringContaining('policy of host endpoints is left out'),
    ]);
  });
});

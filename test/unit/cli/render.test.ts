import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../support/run-command.ts';

const MANIFESTS = ['--manifests', 'examples/three-tier/manifests'];
const directories: string[] = [];

function directoryWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'tortie-render-'));
  directories.push(directory);
  writeFileSync(join(directory, 'policy.yaml'), text);
  return directory;
}

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

describe('tortie render', () => {
  it('prints rules for iptables, and says that IPv6 is another text', async () => {
    const { code, answer, output } = await runCommand(['render', '--to', 'iptables', ...MANIFESTS]);
    expect(code).toBe(0);
    expect(answer).toMatch(/^\*filter\n[\s\S]*-s 10\.65\.0\.10\/32[\s\S]*\nCOMMIT\n$/);
    expect(output).toContain('--family 6');
  });

  it('prints rules for ip6tables when asked for IPv6', async () => {
    const { answer, output } = await runCommand(['render', '--to', 'iptables', '--family', '6', ...MANIFESTS]);
    expect(answer).toContain('-s fd00:65::10/128');
    expect(answer).toBe(output);
  });

  it('prints rules for nftables in sets, or one value to a rule', async () => {
    const sets = await runCommand(['render', '--to', 'nftables', ...MANIFESTS]);
    const linear = await runCommand(['render', '--to', 'nftables', '--style', 'linear', ...MANIFESTS]);
    expect(sets.answer).toContain('vmap @senders');
    expect(linear.answer).toContain('ip saddr 10.65.0.10 goto');
    expect(linear.answer).not.toContain('vmap');
  });

  it('speaks of the endpoints of one node only when asked to', async () => {
    const { answer } = await runCommand(['render', '--to', 'nftables', '--node', 'elsewhere', ...MANIFESTS]);
    expect(answer).toBe('# no endpoint of this family is judged by any policy\n');
  });

  it.each([
    { words: ['render', ...MANIFESTS], says: '--to' },
    { words: ['render', '--to', 'ipfw', ...MANIFESTS], says: 'ipfw' },
    { words: ['render', '--to', 'iptables', '--style', 'sets', ...MANIFESTS], says: '--style' },
    { words: ['render', '--to', 'nftables', '--family', '6', ...MANIFESTS], says: '--family' },
  ])('refuses $words', async ({ words, says }) => {
    const { code, answer, output } = await runCommand(words);
    expect({ code, answer }).toEqual({ code: 2, answer: '' });
    expect(output).toContain(says);
  });

  it('renders what is valid and says what is not', async () => {
    const directory = directoryWith(
      'apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: a}\nspec: {selector: "=="}\n',
    );
    const { code, output } = await runCommand(['render', '--to', 'nftables', '--manifests', directory]);
    expect(code).toBe(3);
    expect(output).toContain('INVALID_SELECTOR');
  });

  it('fails on a directory that is not there', async () => {
    const { code, output } = await runCommand(['render', '--to', 'nftables', '--manifests', '/nonexistent']);
    expect(code).toBe(3);
    expect(output).toContain('FILE_UNREADABLE');
  });
});

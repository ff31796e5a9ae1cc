import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LintReport } from '../../../../src/analysis/lint/finding.ts';
import { fileUri } from '../../../../src/cli/manifest-paths.ts';
import { run } from '../../../../src/cli/program.ts';
import { AgentCommands } from '../../../support/agent/agent-commands.ts';
import { policy, WORKLOADS } from '../../../support/agent/store-manifests.ts';

const BROKEN = 'examples/lint/manifests';
const POLICIES = 'examples/lint/policies-only';
const THREE_TIER = 'examples/three-tier/manifests';

async function lint(...parameters: readonly string[]): Promise<{ code: number; out: string }> {
  const written: string[] = [];
  const { write } = process.stdout;
  const { write: writeError } = process.stderr;
  process.stdout.write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  process.stderr.write = process.stdout.write;
  try {
    const code = await run(['node', 'tortie', 'lint', ...parameters]);
    process.exitCode = 0;
    return { code, out: written.join('') };
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
}

describe('tortie lint', () => {
  it.each([
    { parameters: [THREE_TIER], code: 1 },
    { parameters: ['--manifests', THREE_TIER], code: 1 },
    { parameters: [THREE_TIER, '--fail-on', 'error'], code: 0 },
    { parameters: [THREE_TIER, '--fail-on', 'never'], code: 0 },
    { parameters: [`${THREE_TIER}/20-security.yaml`, '--fail-on', 'note'], code: 0 },
    { parameters: [BROKEN, '--fail-on', 'never'], code: 3 },
    { parameters: ['--rules'], code: 0 },
    { parameters: ['--explain', 'unreachable-rule'], code: 0 },
    { parameters: ['--explain', 'no-such-rule'], code: 1 },
    { parameters: ['no/such/file.yaml'], code: 1 },
    { parameters: ['--fail-on', 'sometimes'], code: 2 },
  ])('ends with $code for $parameters', async ({ parameters, code }) => {
    expect((await lint(...parameters)).code).toBe(code);
  });

  it('writes the same findings as JSON and as SARIF', async () => {
    const report = JSON.parse((await lint(BROKEN, '-o', 'json')).out) as { findings: { rule: string }[] };
    const sarif = JSON.parse((await lint(BROKEN, '-o', 'sarif')).out) as { runs: [{ results: { ruleId: string }[] }] };
    expect(sarif.runs[0].results.map(({ ruleId }) => ruleId)).toEqual(report.findings.map(({ rule }) => rule));
    expect(report.findings.length).toBeGreaterThan(20);
  });

  it('reads files and directories as one set', async () => {
    const { out } = await lint(POLICIES, `${POLICIES}/payments.yaml`);
    expect(out).toContain('DUPLICATE_NAME');
  });

  it('knows no colour where there is no terminal', async () => {
    expect((await lint(BROKEN)).out).not.toContain('\u001b');
  });
});

describe('tortie lint --live', () => {
  let tortie: AgentCommands;

  beforeEach(async () => {
    const twice = policy('twice', [80]);
    const [rule] = (twice.spec as { readonly ingress: readonly object[] }).ingress;
    const spec = { ...(twice.spec as object), ingress: [rule, rule] };
    tortie = await AgentCommands.start({ manifests: { 'lab.yaml': WORKLOADS } });
    await tortie.answer('apply', '-f', tortie.file('twice.yaml', { ...twice, spec }));
  });

  afterEach(() => tortie.end());

  it('looks at files and store of the agent together', async () => {
    const { code, answer } = await tortie.run('lint', '--live', '-o', 'json');
    const { findings, counts } = JSON.parse(answer) as LintReport;
    expect(findings.map(({ rule, object, field }) => [rule, object, field])).toContainEqual([
      'unreachable-rule',
      'np/lab/twice',
      'spec.ingress[1]',
    ]);
    expect(counts).toMatchObject({ policies: 2 });
    expect(code).toBe(1);
  });

  it('takes no paths', async () => {
    const result = await tortie.run('lint', THREE_TIER, '--live');
    expect(result).toMatchObject({ code: 2, output: expect.stringMatching(/^USAGE: .*--live/) });
  });
});

describe('the URI of a file', () => {
  it.each([
    ['manifests/a b.yaml', 'manifests/a%20b.yaml'],
    ['./manifests/../x.yaml', 'x.yaml'],
    ['/elsewhere/f.yaml', 'file:///elsewhere/f.yaml'],
  ])('%s is %s', (file, expected) => {
    expect(fileUri(file)).toBe(expected);
  });
});

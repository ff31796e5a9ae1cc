// Answers of agents that are one minor version away: with a field less than this command knows, it does without, or says whose answer
// it does not understand; with fields more, nothing is different. Commands that ask what only a kernel has are asked in test/host/version-skew.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VERSION } from '../../../src/agent/version.ts';
import { AgentCommands } from '../../support/agent/agent-commands.ts';
import { asVersion, leaveOut, SkewedApi, versionAway, withMore } from '../../support/agent/skewed-api.ts';
import { policy, WORKLOADS } from '../../support/agent/store-manifests.ts';

/** Down to so many keys of an answer. */
const DEPTH = 4;
/** Fields of one answer, most of them of `history 1 --traffic`, which is a table of counts. */
const NEEDED = 24;
const QUESTIONS = [
  'get networkpolicy -n lab',
  'get networkpolicy -A -o wide',
  'get networkpolicy green -n lab -o yaml',
  'get workloadendpoint -A',
  'apply -f {file} --dry-run',
  'diff -f {file}',
  'history',
  'history 1',
  'history 1 --traffic',
  'flows --since 1h',
  'block list',
  'block test 203.0.113.7',
  'export',
  'why --from lab/red --to lab/green --port 7000',
  'staged report',
] as const;

describe('a field of an answer', () => {
  let tortie: AgentCommands;
  let api: SkewedApi;
  let file: string;

  beforeAll(async () => {
    tortie = await AgentCommands.start({ manifests: { 'workloads.yaml': WORKLOADS } });
    file = tortie.file('green.yaml', policy('green', [7000]));
    await tortie.answer('apply', '-f', file);
    await tortie.answer('block', 'add', '203.0.113.0/24');
    api = await SkewedApi.start(tortie.agent.options.socket, `${tortie.agent.folder}/skewed.sock`);
  });

  afterAll(async () => {
    await api?.end();
    await tortie?.end();
  });

  const wordsOf = (line: string): string[] => line.split(' ').map((word) => word.replace('{file}', file));

  it.each(QUESTIONS)('is not missed by tortie %s, or it is said whose answer is not understood', async (line) => {
    const { first, refused, wrong } = await leaveOut(api, wordsOf(line), DEPTH);
    expect([first.code, wrong]).toEqual([0, []]);
    // What it cannot do without is what the answer is of, not each detail of it.
    expect(refused.length).toBeLessThanOrEqual(NEEDED);
  });

  it.each(QUESTIONS)('that is of the next version changes nothing in what tortie %s says', async (line) => {
    api.edit = (_, answer) => answer;
    const plain = await tortie.run(...wordsOf(line), '--socket', api.socket);
    const next = asVersion(versionAway(1));
    api.edit = (path, answer) => next(path, path === '/version' ? answer : withMore(answer));
    const more = await tortie.run(...wordsOf(line), '--socket', api.socket);
    expect([more.code, more.code === 0 ? '' : more.output]).toEqual([0, '']);
    if (!/-o|export|^history 1$/.test(line)) expect(timeless(more.answer)).toBe(timeless(plain.answer));
  });
});

/** Without ages. */
function timeless(text: string): string {
  return text.replaceAll(/\b\d+s\b/g, 's').replaceAll(versionAway(1), VERSION);
}

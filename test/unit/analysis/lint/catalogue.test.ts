import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LINT_RULES, RULE_IDS } from '../../../../src/analysis/lint/catalogue.ts';

const PAGE = 'docs/lint.md';
const TABLE = /(<!-- rules:[^\n]*-->\n)([\s\S]*?)(<!-- end of rules -->)/;

function rulesTable(): string {
  const rows = RULE_IDS.map((id) => `| \`${id}\` | ${LINT_RULES[id].severity} | ${LINT_RULES[id].summary} |`);
  return `\n| rule | severity | meaning |\n|---|---|---|\n${rows.join('\n')}\n\n`;
}

describe('the table of lint rules', () => {
  it('stands in docs/lint.md', () => {
    const text = readFileSync(PAGE, 'utf8');
    if (process.env.UPDATE_GOLDEN === '1') {
      writeFileSync(
        PAGE,
        text.replace(TABLE, (_, start, __, end) => start + rulesTable() + end),
      );
    }
    expect(TABLE.exec(readFileSync(PAGE, 'utf8'))?.[2]).toBe(rulesTable());
  });

  it.each(RULE_IDS)('has a one-line summary and help for %s', (id) => {
    const { summary, help } = LINT_RULES[id];
    expect(summary).toMatch(/^[a-z][^\n.]*$/);
    expect(help).toMatch(/^[^\n]{40,}[.,!]$/);
  });
});

// Pages, in the checkout and as the package has them: what they link to is there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProject } from '../../../tools/lab/project.ts';
import { filesBelow } from '../../../tools/package/application.ts';
import { DOCUMENTS, documentEntries } from '../../../tools/package/documents.ts';
import { deadLinks } from '../../support/links.ts';

const PROJECT = findProject();
const UNIT = 'usr/lib/systemd/system/tortie.service';
const entries = documentEntries(PROJECT);
const pages = new Map(
  entries.flatMap((entry) => (entry.kind === 'text' ? [[entry.path, String(entry.text)] as const] : [])),
);
const others = [...entries.map(({ path }) => path), UNIT];

describe('documents', () => {
  it('lead somewhere in the checkout', () => {
    const sources = ['docs', 'examples', 'bench', 'packaging'].flatMap((folder) => filesBelow(PROJECT, folder, /./));
    const read = [...sources.filter((path) => path.endsWith('.md')), 'README.md'].map(
      (path) => [path, readFileSync(join(PROJECT, path), 'utf8')] as const,
    );
    expect(deadLinks(new Map(read), sources)).toEqual([]);
  });

  it('lead somewhere in the package', () => {
    expect(deadLinks(pages, others)).toEqual([]);
  });

  it.each([
    ['runbooks/tortie-degraded.md', '../doctor.md'],
    ['runbooks/tortie-packet-drops-high.md', '../tables.md#reasons'],
    ['operations.md', '../../../lib/systemd/system/tortie.service'],
    ['operations.md', 'kubernetes/daemonset.yaml'],
    ['hosts.md', 'examples/hosts/bastion'],
    ['examples/diff/README.md', '../../diff.md'],
    ['performance.md', 'bench/latest.md'],
  ])('%s has a link to %s', (page, link) => {
    expect(pages.get(`${DOCUMENTS}/${page}`)).toContain(`](${link})`);
  });

  it('are all those of the checkout but for the manual, which is where man looks for it', () => {
    const shipped = new Set(others);
    const missing = filesBelow(PROJECT, 'docs', /./).filter(
      (path) => !path.startsWith('docs/man/') && !shipped.has(path.replace('docs', DOCUMENTS)),
    );
    expect(missing).toEqual([]);
  });
});

describe('a link', () => {
  it.each([
    ['[a](b.md)', ['docs/p.md: b.md']],
    ['[a](q.md)', []],
    ['[a](q.md#the-first-one-12)', []],
    ['[a](q.md#other)', ['docs/p.md: q.md#other']],
    ['[a](#here)', []],
    ['[a](#there)', ['docs/p.md: #there']],
    ['[a](../pictures/)', []],
    ['[a](../picture)', ['docs/p.md: ../picture']],
    ['[a](https://example.org/b.md)', []],
    ['```\n[a](b.md)\n```', []],
  ])('is dead or alive: %s', (text, expected) => {
    const pages = new Map([
      ['docs/p.md', `# Here\n\n${text}\n`],
      ['docs/q.md', '# The `first` one: 1/2\n'],
    ]);
    expect(deadLinks(pages, ['pictures/a.svg'])).toEqual(expected);
  });
});

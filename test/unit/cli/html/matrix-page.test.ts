import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../../../src/analysis/matrix.ts';
import { renderMatrixPage } from '../../../../src/cli/html/matrix-page.ts';

const EVIL = `<script>alert("1")</script>'&`;
const matrix: Matrix = {
  rows: [
    { kind: 'workload', label: EVIL, members: [EVIL, 'a/other'] },
    { kind: 'world', label: 'world', members: ['world'] },
  ],
  columns: [{ kind: 'workload', label: 'a/web', members: ['a/web'] }],
  cells: [
    [
      {
        verdict: 'allow',
        decidedBy: [{ direction: 'ingress', rule: `default|np:${EVIL}|allow|0`, where: 'x.yaml:3' }],
      },
    ],
    [
      {
        verdict: 'mixed',
        families: { ipv4: 'allow', ipv6: 'deny' },
        pending: 'deny',
        decidedBy: [],
        pendingDecidedBy: [{ direction: 'ingress', rule: 'default|snp:a/x|deny|0' }],
      },
    ],
  ],
};
const page = renderMatrixPage({ title: `TCP 80 in ${EVIL}`, notes: [EVIL], matrix, showsPending: true });

/** Start and end tags in order, without those that have no end. */
function tags(html: string): readonly (readonly [isEnd: boolean, name: string])[] {
  const body = html.replace(/<style>[\s\S]*?<\/style>/, '').replace(/<script>[\s\S]*?<\/script>\n<\/body>/, '</body>');
  return [...body.matchAll(/<(\/?)([a-z0-9]+)(?:\s+[a-z-]+="[^"]*")*>/g)]
    .map(([, slash, name]) => [slash === '/', name ?? ''] as const)
    .filter(([, name]) => name !== 'meta');
}

describe('renderMatrixPage', () => {
  it('escapes every name', () => {
    expect(page.match(/<script>/g)).toHaveLength(1);
    expect(page).not.toContain('alert("1")');
    expect(page).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39;&amp;');
  });

  it('needs nothing but itself', () => {
    expect(page).not.toMatch(/\b(?:src|href|url)\s*[=(]/);
    expect(page).toContain("default-src 'none'");
  });

  it('is well-formed', () => {
    const open: string[] = [];
    for (const [isEnd, name] of tags(page)) {
      if (isEnd) expect(open.pop()).toBe(name);
      else open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('has a caption, and headers that say what they head', () => {
    expect(page).toContain('<caption>');
    expect(page.match(/<th scope="col"/g)).toHaveLength(1);
    expect(page.match(/<th scope="row"/g)).toHaveLength(2);
  });

  it('has one cell in the order of tabs, and the rule in every cell', () => {
    expect(page.match(/<button type="button" tabindex="0"/g)).toHaveLength(1);
    expect(page.match(/<button type="button" tabindex="-1"/g)).toHaveLength(1);
    expect(page).toContain('(x.yaml:3)');
    expect(page).toContain('IPv4: allow, IPv6: deny');
  });

  it('says verdicts in words, not by colour alone, and what is pending', () => {
    expect(page).toMatch(/◐ mixed → <span class="deny">✕ deny<\/span>/);
    expect(page).toContain('with staged policies: deny\ningress: default|snp:a/x|deny|0');
  });

  it('leaves pending verdicts out unless asked for them', () => {
    const plain = renderMatrixPage({ title: 'x', notes: [], matrix, showsPending: false });
    expect(plain).not.toContain('with staged policies');
  });

  it('lists the members of a group that hides them', () => {
    expect(page).toContain('<li>a/other</li>');
  });
});

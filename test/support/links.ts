// Links of Markdown pages that lead nowhere.
import { dirname, join, normalize } from 'node:path';

const FENCED = /^ *```[\s\S]*?^ *```$/gm;
const LINK = /\]\((?![a-z]+:)([^)\s]+)\)/g;

/**
 * `<page>: <link>` for each relative link without its file or folder, or without its heading there. `others` are paths of files that
 * are no pages.
 */
export function deadLinks(pages: ReadonlyMap<string, string>, others: readonly string[] = []): string[] {
  const files = new Set([...pages.keys(), ...others]);
  const folders = new Set([...files].flatMap(foldersOf));
  const headings = new Map([...pages].map(([page, text]) => [page, headingsOf(text)]));
  return [...pages].flatMap(([page, text]) =>
    [...text.replaceAll(FENCED, '').matchAll(LINK)].flatMap(([, link = '']) => {
      const [target = '', heading] = link.split('#');
      const path = target === '' ? page : normalize(join(dirname(page), target)).replace(/\/$/, '');
      const isThere = files.has(path) || folders.has(path);
      return isThere && (heading === undefined || headings.get(path)?.has(heading)) ? [] : [`${page}: ${link}`];
    }),
  );
}

function foldersOf(path: string): string[] {
  const folder = dirname(path);
  return folder === '.' || folder === '/' ? [] : [folder, ...foldersOf(folder)];
}

/** As GitHub makes anchors of headings: small, without punctuation, a dash for each blank. */
function headingsOf(text: string): Set<string> {
  const titles = [...text.replaceAll(FENCED, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

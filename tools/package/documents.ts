// Documents of the package: pages with the examples, dashboards and results that they speak of, in one tree where each link leads somewhere.
import { readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { filesBelow } from './application.ts';
import type { Entry } from './entry.ts';

export const DOCUMENTS = 'usr/share/doc/tortie';

interface Place {
  /** In the project. */
  readonly folder: string;
  /** In the package. */
  readonly to: string;
  readonly accept: RegExp;
}

/** Alerts link to runbooks there; the manual is where man looks for it. */
const PLACES: readonly Place[] = [
  { folder: 'docs', to: DOCUMENTS, accept: /\.(md|json)$/ },
  { folder: 'examples', to: `${DOCUMENTS}/examples`, accept: /./ },
  { folder: 'bench/results', to: `${DOCUMENTS}/bench`, accept: /^latest.*\.(md|svg)$/ },
  { folder: 'packaging/prometheus', to: `${DOCUMENTS}/prometheus`, accept: /\.yml$/ },
  { folder: 'packaging/grafana', to: `${DOCUMENTS}/grafana`, accept: /\.json$/ },
  { folder: 'packaging/kubernetes', to: `${DOCUMENTS}/kubernetes`, accept: /\.yaml$/ },
  // Installed as what it is, and linked to by pages.
  { folder: 'packaging', to: 'usr/lib/systemd/system', accept: /^$/ },
];

/** Those of Markdown that do not lead to another machine or within the page. */
const LINK = /\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)/g;

/** What people read, with links as they must be there. */
export function documentEntries(project: string): Entry[] {
  return PLACES.flatMap(({ folder, accept }) =>
    filesBelow(project, folder, accept).map((source): Entry => {
      const path = placeOf(source);
      if (!source.endsWith('.md')) return { path, kind: 'copy', from: join(project, source) };
      return { path, kind: 'text', text: moveLinks(readFileSync(join(project, source), 'utf8'), source) };
    }),
  );
}

/** Where a file or folder of the project is in the package, were it there. */
function placeOf(source: string): string {
  const place = PLACES.find(({ folder }) => source === folder || source.startsWith(`${folder}/`));
  return place === undefined ? join(DOCUMENTS, source) : join(place.to, source.slice(place.folder.length));
}

function moveLinks(text: string, source: string): string {
  const from = dirname(placeOf(source));
  return text.replaceAll(LINK, (_, target: string, heading = '') => {
    const to = placeOf(normalize(join(dirname(source), target)));
    return `](${relative(from, to)}${heading})`;
  });
}

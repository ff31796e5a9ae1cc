// A proposal as a file: the text that people read and edit, and the objects that are in it.
import { writeFileSync } from 'node:fs';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { PROTECT_LABEL } from '../analysis/protect/proposal.ts';
import { DataplaneError } from '../base/errors.ts';
import { parseResource } from '../model/parse/parse-resource.ts';
import { parseDocuments } from '../resources/document.ts';
import type { Resource } from '../resources/resource.ts';
import { objectsOfText, readTexts } from './object-files.ts';

export interface ProposalFile {
  readonly text: string;
  readonly resources: readonly Resource[];
  /** All with the label by which they are found again. */
  readonly manifests: readonly Manifest[];
}

/** Throws an AggregateError of everything that is wrong, each with its line; USAGE when nothing is in it. */
export function readProposal(path: string): ProposalFile {
  const [named] = readTexts({ filename: [path] });
  return proposalFile(named?.text ?? '', named?.file ?? path);
}

/** The same of a text. */
export function proposalFile(text: string, file: string): ProposalFile {
  const { resources, errors } = parseDocuments(text, file);
  const all = [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)];
  if (all.length > 0) throw new AggregateError(all, 'refused');
  if (resources.length === 0) {
    throw new DataplaneError('USAGE', 'has no objects', { operation: 'read proposal', target: file });
  }
  return { text, resources, manifests: objectsOfText({ text, file }).map(({ manifest }) => labelled(manifest)) };
}

/** Throws FILE_UNWRITABLE. */
export function writeProposal({ text }: ProposalFile, path: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    const what = `cannot be written: ${(cause as NodeJS.ErrnoException).code ?? 'unknown error'}`;
    throw new DataplaneError('FILE_UNWRITABLE', what, { operation: 'write proposal', target: path, cause });
  }
}

function labelled(manifest: Manifest): Manifest {
  const metadata = isPlain(manifest.metadata) ? manifest.metadata : {};
  const labels = isPlain(metadata.labels) ? metadata.labels : {};
  if (Object.hasOwn(labels, PROTECT_LABEL)) return manifest;
  return { ...manifest, metadata: { ...metadata, labels: { ...labels, [PROTECT_LABEL]: 'file' } } };
}

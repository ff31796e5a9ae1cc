// A directory of manifests as a datastore without an agent: objects are put into its files and taken out again. A running
// agent sees the change by itself.

import { manifestOf } from '../agent/live-manifests.ts';
import { parseResource } from '../model/parse/parse-resource.ts';
import { parseDocuments } from '../resources/document.ts';
import { readDirectory } from '../resources/sources/directory.ts';
import { putDocument, removeDocument, splitStream } from '../resources/sources/edit-directory.ts';
import { describeOutcome } from './change-text.ts';
import { EXIT } from './exit-codes.ts';
import type { NamedText } from './object-files.ts';
import { DirectoryReader } from './object-reader.ts';
import { print, printError } from './output.ts';
import type { ObjectRef } from './resource-client.ts';

/** Puts the objects of the texts into files. Objects with errors are refused, the others applied. Throws FILE_UNWRITABLE. */
export function applyToDirectory(directory: string, texts: readonly NamedText[]): void {
  const known = new Map(readDirectory(directory).objects);
  for (const { file, text } of texts) {
    for (const document of splitStream(text)) {
      const { resources, errors } = parseDocuments(document, file);
      const refused = [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)];
      refused.forEach(printError);
      if (refused.length > 0) process.exitCode = EXIT.INVALID;
      const [resource] = resources;
      if (resource === undefined || refused.length > 0) continue;
      const result = putDocument(directory, resource, document, known.get(resource.id));
      known.set(resource.id, resource);
      print(describeOutcome(manifestOf(resource), result));
    }
  }
}

/** Takes the objects out of their files. Throws NOT_FOUND, after those before it are gone. */
export function deleteFromDirectory(directory: string, refs: readonly ObjectRef[]): void {
  for (const ref of refs) {
    const resource = new DirectoryReader(directory).find(ref);
    removeDocument(directory, resource);
    print(describeOutcome(manifestOf(resource), 'deleted'));
  }
}

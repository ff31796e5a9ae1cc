// The example with three tiers, read once for tests that explain parts of it.
import { createContext } from '../../../../src/analysis/lint/context.ts';
import { readDirectory } from '../../../../src/resources/sources/directory.ts';

const snapshot = readDirectory('examples/three-tier/manifests');

export const THREE_TIER = createContext([...snapshot.objects.values()], snapshot.errors);

// Which tests of which files prove a feature, where features share a file: asked before a guest runs them and after. Pure.
import type { Feature } from './plan.ts';
import type { TestResult } from './results.ts';

export interface TestFile {
  /** Source, relative to the project. */
  readonly source: string;
  /** Words of titles; undefined = all its tests. */
  readonly only?: readonly string[];
}

/** Each file once, with the tests that any of the features is proven by. */
export function filesOf(features: readonly Feature[]): TestFile[] {
  return [...new Set(features.flatMap(({ files }) => files))].map((source) => {
    const wanted = features.filter(({ files }) => files.includes(source)).map(({ only }) => only);
    return wanted.includes(undefined) ? { source } : { source, only: wanted.flatMap((words) => words ?? []) };
  });
}

/**
 * Results of the feature's tests, by source. What fails outside of any test that a feature names, as hooks do, fails every feature
 * of its file. `compiled` says where a source was compiled to.
 */
export function resultsOf(
  feature: Feature,
  features: readonly Feature[],
  results: readonly TestResult[],
  compiled: (source: string) => string,
): ReadonlyMap<string, readonly TestResult[]> {
  const own = (source: string) =>
    results.filter((result) => {
      if (!compiled(source).endsWith(result.file)) return false;
      const sharers = features.filter(({ files }) => files.includes(source));
      return proves(feature, result) || !sharers.some((sharer) => proves(sharer, result));
    });
  return new Map(feature.files.map((source) => [source, own(source)]));
}

function proves({ only }: Feature, { title }: TestResult): boolean {
  return only === undefined || only.some((words) => title.includes(words));
}

// An object as people write it, and where the API says that it comes from. No schema: that is src/resources.

/** Checked or not. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Where objects that files define are shown to come from. */
export const FILE_ANNOTATION = 'tortie.io/file';

export function isPlain(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

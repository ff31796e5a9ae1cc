// An object as people write it, and where the API says that it comes from. No schema: that is src/resources.

/** Checked or not. */
export type Manifest = Readonly<Record<string, unknown>>;

/** Where objects that files define are shown to come from. */
export const FILE_ANNOTATION = 'tortie.io/file';

/** Why a stored object is not in force, where it is not. */
export const NOT_IN_FORCE_ANNOTATION = 'tortie.io/not-in-force';

export function isPlain(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

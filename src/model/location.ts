// Where something was written, for errors and traces.
export interface SourceLocation {
  /** Path as given by the source, e.g. the file relative to the manifest directory; empty for built-ins. */
  readonly file: string;
  /** 1-based line of the document or rule; 0 = unknown. */
  readonly line: number;
}

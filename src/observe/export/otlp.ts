// What all of OTLP has in common, as its JSON encoding says it: lower camel case, 64-bit numbers as text, enums as numbers.

export interface OtlpAttribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

export interface OtlpResource {
  readonly node: string;
  readonly version: string;
}

/** Without those that are empty. */
export function toAttributes(values: Readonly<Record<string, string>>): OtlpAttribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === '' ? [] : [{ key, value: { stringValue: value } }],
  );
}

export function toResource({ node, version }: OtlpResource): { readonly attributes: readonly OtlpAttribute[] } {
  return { attributes: toAttributes({ 'service.name': 'tortie', 'service.version': version, 'host.name': node }) };
}

/** Milliseconds since 1970, which are exact, as nanoseconds. */
export function toNanoseconds(ms: number): string {
  return `${Math.trunc(ms)}000000`;
}

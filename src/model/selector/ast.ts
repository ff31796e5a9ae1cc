// Abstract syntax of label selectors. Nodes are frozen; build them with parser.ts or construct.ts.
export type Selector =
  | { readonly kind: 'all' }
  /** global(): true here; its meaning in namespaceSelector comes from scoping. */
  | { readonly kind: 'global' }
  | { readonly kind: 'has'; readonly label: string }
  | { readonly kind: 'equals'; readonly label: string; readonly value: string }
  | { readonly kind: 'notEquals'; readonly label: string; readonly value: string }
  | { readonly kind: 'contains'; readonly label: string; readonly value: string }
  | { readonly kind: 'startsWith'; readonly label: string; readonly value: string }
  | { readonly kind: 'endsWith'; readonly label: string; readonly value: string }
  | { readonly kind: 'in'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'notIn'; readonly label: string; readonly values: readonly string[] }
  | { readonly kind: 'not'; readonly operand: Selector }
  | { readonly kind: 'and'; readonly operands: readonly Selector[] }
  | { readonly kind: 'or'; readonly operands: readonly Selector[] };

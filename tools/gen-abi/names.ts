// C names to TypeScript names. One place, because every emitter must agree.

/** `tt_flow_key` -> `FlowKey`. */
export function typeName(cName: string): string {
  return cName
    .replace(/^tt_/, '')
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}

/** `tt_flow_key` -> `flowKey`. */
export function valueName(cName: string): string {
  const name = typeName(cName);
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/**
 * Enumerators without what they share: the words they have in common, but at most those of the enum's own name, so
 * that `enum tt_layout { TT_LAYOUT_VERSION }` keeps VERSION and `enum tt_heap_dims` keeps HEAP_ of HEAP_BLOCK_SHIFT.
 */
export function enumeratorNames(enumName: string, names: readonly string[]): string[] {
  const own = enumName.toUpperCase().split('_');
  const split = names.map((name) => name.split('_'));
  let shared = 0;
  while (split.every((words) => words.length > shared + 1 && words[shared] === own[shared])) shared += 1;
  return split.map((words) => words.slice(shared).join('_'));
}

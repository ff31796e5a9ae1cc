// What flows of many alike workloads are put together by.

/** A controller's pods differ in what follows the last hyphen; undefined = the name has none. */
export function alikeName(name: string): string | undefined {
  const end = name.lastIndexOf('-');
  return end < 1 ? undefined : `${name.slice(0, end + 1)}*`;
}

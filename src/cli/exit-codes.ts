// What a command's exit code means; docs/cli.md is generated from this table.
export const EXIT = { OK: 0, FAILED: 1, USAGE: 2, INVALID: 3, NOT_READY: 4 } as const;

export const EXIT_MEANING: Readonly<Record<number, string>> = {
  [EXIT.OK]: 'done',
  [EXIT.FAILED]:
    'the operation failed, and standard error says why with a code from docs/errors.md; or the answer is bad news: diff and simulate found a change, lint a finding, test a failure',
  [EXIT.USAGE]: 'the command line is not understood',
  [EXIT.INVALID]:
    'manifests have errors; what is valid was used, but for changes of several objects, which are made whole or not at all',
  [EXIT.NOT_READY]: 'no agent answers, or it is not in sync, or a change is stored and not in force yet',
};

// What a guest machine could not do, in a sentence that says what to do about it. Shown without a stack.

/** Exit code of the door when the guest, not the command in it, is at fault: as of commands that cannot be run. */
export const GUEST_FAILED = 125;

export class VmFailure extends Error {}

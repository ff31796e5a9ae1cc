// How long an agent in a guest may take.

export const SYNC_LIMIT_MS = 5000;
/** The kernel does not tell of what becomes of a program: the agent looks now and then. */
export const AUDIT_LIMIT_MS = 10_000;

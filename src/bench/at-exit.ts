// Undoes what must not outlive this process: at its end, and on signals that end it. What is undone is the caller's business.

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const pending = new Set<() => void>();

/** Runs `undo`, which must be synchronous, when the process ends before the function that is returned is called. */
export function undoAtExit(undo: () => void): () => void {
  if (pending.size === 0) listen();
  pending.add(undo);
  return () => {
    if (pending.delete(undo) && pending.size === 0) unlisten();
  };
}

function listen(): void {
  process.on('exit', undoAll);
  for (const name of SIGNALS) process.on(name, undoAndDie);
}

function unlisten(): void {
  process.off('exit', undoAll);
  for (const name of SIGNALS) process.off(name, undoAndDie);
}

function undoAll(): void {
  for (const undo of [...pending].reverse()) undo();
  pending.clear();
}

function undoAndDie(signal: NodeJS.Signals): void {
  undoAll();
  unlisten();
  // Whoever else listens decides what happens next; with no one left, the default does.
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}

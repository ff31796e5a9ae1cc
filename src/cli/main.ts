#!/usr/bin/env node
// The `tortie` executable: one command line, one exit code.
import { run } from './program.ts';

// Whoever reads has seen enough, as `head` does: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await run(process.argv);

// The traffic tier: `npm run test:traffic`. It boots machines of its own, or leads those of the Vagrantfile, so it runs apart.
import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

/** Inside of Vagrant's machines there is no Vagrant. */
const isVagrantLeader = existsSync('/etc/tortie/traffic.json');

export default defineConfig({
  test: {
    name: 'traffic',
    include: [`test/traffic/${isVagrantLeader ? 'two-hosts' : '*'}.test.ts`],
    setupFiles: ['test/support/fail-on-warning.ts'],
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    // Guests without KVM are slow, and slower on a machine that has other things to do.
    testTimeout: 400_000,
    hookTimeout: 700_000,
  },
});

// The door `npm run demo`: shows on a network of its own what Tortie promises, and fails if any of it is not so.
import { performance } from 'node:perf_hooks';
import { showEdit, showKill, showTable } from './acts.ts';
import { FLOW_SETTINGS, showFlows } from './flows.ts';
import { say, saySection } from './screen.ts';
import { Shop } from './shop.ts';

const BAD = 1;

async function play(): Promise<boolean> {
  say('Tortie demo: the shop of examples/three-tier, on a network of its own.');
  Object.assign(process.env, FLOW_SETTINGS);
  await using shop = await Shop.open();
  const results = [await showTable(shop), await showKill(shop), await showEdit(shop), await showFlows(shop)];
  return results.every(Boolean);
}

async function run(): Promise<number> {
  if (process.getuid?.() !== 0) {
    process.stderr.write('tortie demo: network namespaces and eBPF need root; run: sudo npm run demo\n');
    return BAD;
  }
  const start = performance.now();
  try {
    const isRight = await play();
    saySection(
      `Cleaned up after ${((performance.now() - start) / 1000).toFixed(1)} s; nothing of it is left on this machine.`,
    );
    return isRight ? 0 : BAD;
  } catch (error) {
    process.stderr.write(`tortie demo: ${(error as Error).message}\n`);
    return BAD;
  }
}

process.exitCode = await run();

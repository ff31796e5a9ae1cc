// The door `npm run vm -- --kernel 6.1 -- COMMAND`: output and exit code are the command's.
import { GUEST_FAILED, VmFailure } from './failure.ts';
import { readRequest, USAGE } from './request.ts';
import { runGuests } from './run-guests.ts';

process.exit(await main(process.argv.slice(2)));

async function main(parameters: readonly string[]): Promise<number> {
  if (parameters.includes('--help') && parameters.indexOf('--help') < (parameters.indexOf('--') + 1 || Infinity)) {
    process.stdout.write(USAGE);
    return 0;
  }
  try {
    const { codes } = await runGuests({
      request: readRequest(parameters),
      cwd: process.cwd(),
      tell: (what) => console.error(`vm: ${what}`),
      onOutput: (chunk, stream) => (stream === 'out' ? process.stdout : process.stderr).write(chunk),
    });
    return codes.find((code) => code !== 0) ?? 0;
  } catch (error) {
    if (!(error instanceof VmFailure)) throw error;
    console.error(`vm: ${error.message}`);
    return GUEST_FAILED;
  }
}

// tortie config: the effective value of every setting, and where it comes from.
import type { Command } from 'commander';
import type { ConfigReport, SettingReport } from '../../agent/config/report.ts';
import { readConfiguration } from '../../agent/lifecycle.ts';
import { DataplaneError } from '../../base/errors.ts';
import { askAgent } from '../agent-client.ts';
import { addAgentFlags, configSources } from '../agent-flags.ts';
import { EXIT } from '../exit-codes.ts';
import { outputOption } from '../options.ts';
import { formatTable, type OutputFormat, paint, printData } from '../output.ts';

export function fillConfigCommand(command: Command): void {
  addAgentFlags(
    command
      .addOption(outputOption())
      .option('--offline', 'what an agent would get that starts now with these flags; asks no running one', false),
  )
    .addHelpText(
      'after',
      '\nWithout --offline only --config, --socket and --output count. Exit code 3: the configuration file cannot be used.',
    )
    .action(showConfig);
}

async function showConfig(given: Readonly<Record<string, unknown>>): Promise<void> {
  const configuration = given.offline === true ? readConfiguration(configSources(given)) : undefined;
  const report = configuration?.report() ?? (await askForReport(given));
  await printData(report, given.output as OutputFormat, () => formatReport(report));
  if (report.errors.length > 0) process.exitCode = EXIT.INVALID;
}

/** Throws AGENT_UNREACHABLE. */
async function askForReport(given: Readonly<Record<string, unknown>>): Promise<ConfigReport> {
  const socket = String(readConfiguration(configSources(given)).settings.get('socket')?.value);
  try {
    return await askAgent<ConfigReport>(socket, 'GET', '/v1/config');
  } catch (error) {
    if (!(error instanceof DataplaneError) || error.code !== 'AGENT_UNREACHABLE') throw error;
    const hint = 'to see what an agent would get: tortie config --offline';
    throw new DataplaneError(error.code, 'no agent answers', {
      operation: 'connect',
      target: socket,
      hint,
      cause: error,
    });
  }
}

function formatReport({ file, isFileUsed, errors, settings, ignored }: ConfigReport): string {
  const state = errors.length > 0 ? paint('NOT used, the last good one is', 'red') : isFileUsed ? 'used' : 'not there';
  return [
    `configuration file ${file}: ${state}`,
    ...errors.map(({ code, message }) => `  ${paint(code, 'red')} ${message}`),
    '',
    formatTable(['SETTING', 'VALUE', 'SOURCE', 'NOTE'], settings.map(rowOf)),
    ...(ignored.length === 0 ? [] : ['', 'FelixConfiguration, accepted without effect:']),
    ...ignored.map(({ origin, reason }) => `  ${origin}: ${reason}`),
  ].join('\n');
}

function rowOf({ name, value, source, origin, hidden, pending, change }: SettingReport): string[] {
  const notes = [
    ...(pending === undefined
      ? []
      : [paint(`${pending.value} by ${pending.origin || 'default'} ${needs(change)}`, 'yellow')]),
    ...hidden.map((one) => `hides ${one.value} of ${one.origin}`),
  ];
  return [name, value === '' ? '""' : String(value), origin === '' ? source : `${source} ${origin}`, notes.join('; ')];
}

function needs(change: SettingReport['change']): string {
  return change === 'cleanup' ? 'needs tortie cleanup and a restart' : 'needs a restart';
}

// Every command: how it is called, what it does in a sentence, and where the rest of it is. That is read when somebody asks
// for it, so that a command costs only what it needs; the list is enough for `tortie --help` and to complete a verb.
import type { Command } from 'commander';

export interface CommandEntry {
  /** The verb and its arguments. */
  readonly usage: string;
  readonly description: string;
  /** Gives the command its options, its help and its action. */
  readonly load: () => Promise<(command: Command) => void>;
}

/** In the order of `tortie --help`. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    usage: 'agent',
    description:
      'enforce a directory of manifests on this host; SIGTERM stops the agent and leaves enforcement in place, SIGHUP has it read its configuration again',
    load: async () => (await import('./commands/agent.ts')).fillAgentCommand,
  },
  {
    usage: 'status',
    description: 'the state of the agent: exit code 0 when all accepted manifests are in force',
    load: async () => (await import('./commands/status.ts')).fillStatusCommand,
  },
  {
    usage: 'config',
    description: 'every setting of the running agent with its value and source, or of an agent that would start now',
    load: async () => (await import('./commands/config.ts')).fillConfigCommand,
  },
  {
    usage: 'endpoint',
    description: 'local endpoints and their interfaces',
    load: async () => (await import('./commands/endpoint.ts')).fillEndpointCommand,
  },
  {
    usage: 'node',
    description: 'the machine of the agent, and the nodes that it knows of',
    load: async () => (await import('./commands/node.ts')).fillNodeCommand,
  },
  {
    usage: 'get [kind] [name...]',
    description: 'show objects that are in force',
    load: async () => (await import('./commands/get.ts')).fillGetCommand,
  },
  {
    usage: 'watch <kind> [name]',
    description: 'show objects and every change of them as it comes: ADDED, MODIFIED, DELETED',
    load: async () => (await import('./commands/watch.ts')).fillWatchCommand,
  },
  {
    usage: 'apply',
    description: 'create objects, or merge them into those that are there, as one change',
    load: async () => (await import('./commands/apply.ts')).fillApplyCommand,
  },
  {
    usage: 'create',
    description: 'create objects that are not there yet',
    load: async () => (await import('./commands/create.ts')).fillCreateCommand,
  },
  {
    usage: 'replace',
    description: 'put objects in the place of those that are there; a resourceVersion says which version is meant',
    load: async () => (await import('./commands/create.ts')).fillReplaceCommand,
  },
  {
    usage: 'patch <kind> [name]',
    description: 'change fields of an object',
    load: async () => (await import('./commands/patch.ts')).fillPatchCommand,
  },
  {
    usage: 'label <kind> [name-or-label...]',
    description: 'set labels of objects (KEY=VALUE), or take them away (KEY-)',
    load: async () => (await import('./commands/label.ts')).fillLabelCommand,
  },
  {
    usage: 'delete [kind] [name...]',
    description: 'delete objects',
    load: async () => (await import('./commands/delete.ts')).fillDeleteCommand,
  },
  {
    usage: 'history [revision]',
    description:
      'changes of the store and of manifest files, the latest first: who made them, when, to which objects; or one of them in full',
    load: async () => (await import('./commands/history.ts')).fillHistoryCommand,
  },
  {
    usage: 'rollback <revision>',
    description: 'bring the store back to what it was at a revision; that is a new revision',
    load: async () => (await import('./commands/history.ts')).fillRollbackCommand,
  },
  {
    usage: 'confirm [revision]',
    description: 'keep a change that was made with --confirm',
    load: async () => (await import('./commands/history.ts')).fillConfirmCommand,
  },
  {
    usage: 'export',
    description: 'everything in force, of the store and of manifest files, as a YAML stream',
    load: async () => (await import('./commands/history.ts')).fillExportCommand,
  },
  {
    usage: 'import',
    description: 'make the store hold exactly the objects of a file, as one change: others are deleted',
    load: async () => (await import('./commands/history.ts')).fillImportCommand,
  },
  {
    usage: 'protect',
    description:
      'propose policy for this machine from what it is seen to do, preview it, put it in force with a way back, or undo it',
    load: async () => (await import('./commands/protect.ts')).fillProtectCommand,
  },
  {
    usage: 'block',
    description:
      'drop packets from sources before the kernel sees them: add, remove, list, test, and feeds of millions',
    load: async () => (await import('./commands/block.ts')).fillBlockCommand,
  },
  {
    usage: 'syn',
    description: 'care for new TCP connections: limits by source, SYN cookies before the stack',
    load: async () => (await import('./commands/syn.ts')).fillSynCommand,
  },
  {
    usage: 'validate [path...]',
    description:
      'check manifests without applying them; a directory is read as an agent reads it; exit code 3 when something is wrong',
    load: async () => (await import('./commands/validate.ts')).fillValidateCommand,
  },
  {
    usage: 'convert',
    description: 'write manifests in another API version of their kinds',
    load: async () => (await import('./commands/convert.ts')).fillConvertCommand,
  },
  {
    usage: 'verdict',
    description: 'judge flows by a directory of manifests; see docs/verdict.md for both formats',
    load: async () => (await import('./commands/verdict.ts')).fillVerdictCommand,
  },
  {
    usage: 'trace',
    description: 'say what policy does to a flow, and which tier, policy and rule decide',
    load: async () => (await import('./commands/trace.ts')).fillTraceCommand,
  },
  {
    usage: 'diff [A] [B]',
    description:
      'say which packets are judged differently by two sets of manifests: exact, in as few sentences as it takes',
    load: async () => (await import('./commands/diff.ts')).fillDiffCommand,
  },
  {
    usage: 'recommend',
    description: 'least-privilege policies from flows that were seen, staged, with the proof that they hold',
    load: async () => (await import('./commands/recommend.ts')).fillRecommendCommand,
  },
  {
    usage: 'why [record]',
    description:
      'why a flow is let through or denied: tier, policy, rule, file, line and change; what would turn it; what staged policies say',
    load: async () => (await import('./commands/why.ts')).fillWhyCommand,
  },
  {
    usage: 'staged',
    description: 'staged policies on flows that were seen: report, promote, preview of a deletion',
    load: async () => (await import('./commands/staged.ts')).fillStagedCommand,
  },
  {
    usage: 'simulate <file...>',
    description: 'replay recorded flows against a directory of manifests and say what would change',
    load: async () => (await import('./commands/simulate.ts')).fillSimulateCommand,
  },
  {
    usage: 'test <file...>',
    description: 'run policy tests: which flows must be allowed or denied, and by which rule',
    load: async () => (await import('./commands/test.ts')).fillTestCommand,
  },
  {
    usage: 'matrix',
    description: 'show who may reach whom on one port',
    load: async () => (await import('./commands/matrix.ts')).fillMatrixCommand,
  },
  {
    usage: 'lint [path...]',
    description: 'find rules and policies that are without effect, unintended or refused; exact over all packets',
    load: async () => (await import('./commands/lint.ts')).fillLintCommand,
  },
  {
    usage: 'explain <name>',
    description: 'say in plain words what a policy does to whom, or what governs an endpoint and what it may do',
    load: async () => (await import('./commands/explain.ts')).fillExplainCommand,
  },
  {
    usage: 'render',
    description: 'print the policy of a directory of manifests as rules for iptables or nftables, of the same meaning',
    load: async () => (await import('./commands/render.ts')).fillRenderCommand,
  },
  {
    usage: 'bench',
    description:
      'compare what a packet costs under iptables, nftables and Tortie, with the policy of a directory of manifests',
    load: async () => (await import('./commands/bench.ts')).fillBenchCommand,
  },
  {
    usage: 'tables',
    description: 'the compiled tables',
    load: async () => (await import('./commands/tables.ts')).fillTablesCommand,
  },
  {
    usage: 'monitor',
    description: 'show new flows, denials and drops as they happen',
    load: async () => (await import('./commands/monitor.ts')).fillMonitorCommand,
  },
  {
    usage: 'probe',
    description: 'measure how long a packet takes from one endpoint to another and back, by TCP and UDP',
    load: async () => (await import('./commands/probe.ts')).fillProbeCommand,
  },
  {
    usage: 'flows',
    description:
      'flows that were seen, stored or as they come: who, where to, verdict, policy, bytes; sums and graphs of them',
    load: async () => (await import('./commands/flows.ts')).fillFlowsCommand,
  },
  {
    usage: 'drops',
    description: 'show packets that are denied or dropped as it happens, each with its reason, tier, policy and rule',
    load: async () => (await import('./commands/drops.ts')).fillDropsCommand,
  },
  {
    usage: 'capture',
    description: 'write packets of endpoints to a pcapng file, each with its verdict, reason and rule',
    load: async () => (await import('./commands/capture.ts')).fillCaptureCommand,
  },
  {
    usage: 'cleanup',
    description: 'take every program off every interface and remove all pins: traffic then flows unjudged',
    load: async () => (await import('./commands/cleanup.ts')).fillCleanupCommand,
  },
  {
    usage: 'doctor',
    description: 'examine this machine: what keeps policy from being enforced or packets from arriving, with hints',
    load: async () => (await import('./commands/doctor.ts')).fillDoctorCommand,
  },
  {
    usage: 'support-bundle',
    description: 'collect what helps to find out what is wrong in one .tar.gz, without secrets; needs no running agent',
    load: async () => (await import('./commands/support-bundle.ts')).fillSupportBundleCommand,
  },
  {
    usage: 'version',
    description: 'versions of this command and of the agent; exit code 1 when they do not fit',
    load: async () => (await import('./commands/version.ts')).fillVersionCommand,
  },
  {
    usage: 'completion <shell>',
    description: 'write the script with which a shell completes command lines',
    load: async () => (await import('./commands/completion.ts')).fillCompletionCommand,
  },
];

// Who may import whom. Each rule says what to do instead. Types count as imports.

const order = [
  'base',
  'resources',
  'model',
  'calc',
  'abi',
  'tables',
  'analysis',
  'kernel',
  'events',
  'observe',
  'agent',
  'bench',
  'cli',
];

const leftOnly = order.slice(0, -1).map((folder, index) => ({
  name: `${folder}-imports-left-only`,
  severity: 'error',
  comment: `src/${folder} comes before these folders in the flow of data: move what both need to the left, or hand it over from src/agent.`,
  from: { path: `^src/${folder}/` },
  to: { path: `^src/(${order.slice(index + 1).join('|')})/` },
}));

export default {
  forbidden: [
    ...leftOnly,
    {
      name: 'native-only-through-its-door',
      severity: 'error',
      comment: 'Only src/kernel knows the addon: src/kernel/native.ts exports its types too.',
      from: { path: '^(src|tools|bench)/', pathNot: '^src/kernel/' },
      to: { path: '^native/' },
    },
    {
      name: 'node-only-at-the-edges',
      severity: 'error',
      comment:
        'Pure folders run anywhere and are tested without a machine: pass the value in, from agent, bench, cli, kernel or sources.',
      from: {
        path: '^src/',
        pathNot: '^src/(resources/sources|kernel|observe/exporters|agent|bench|cli)/',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'events-and-observe-do-not-know-policy',
      severity: 'error',
      comment:
        'Names of what an event speaks of come from a NameLookup (declared in src/model) that src/agent passes in.',
      from: { path: '^src/(events|observe)/' },
      to: { path: '^src/(calc|tables)/' },
    },
    {
      name: 'readers-never-reach-writers',
      severity: 'error',
      comment: 'What src/observe shows is handed to it by src/agent; it must not be able to change the kernel.',
      from: { path: '^src/observe/' },
      to: { path: '^src/kernel/' },
    },
    {
      name: 'calc-and-model-know-no-bytes',
      severity: 'error',
      comment: 'Layouts are the business of src/tables and to the right of it: return a plain value instead.',
      from: { path: '^src/(base|resources|model|calc)/' },
      to: { path: '^src/abi/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'Two modules that need each other are one concept, or hide a third: extract what both need.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-barrels',
      severity: 'error',
      comment: 'Import the file that declares what you need: an index hides where things come from, and makes cycles.',
      from: { path: '^src/' },
      to: { path: '^src/.*/index\\.ts$' },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'Nothing imports this module and it imports nothing: remove it, or use it.',
      from: { orphan: true, path: '^src/', pathNot: '^src/(cli/main|abi/.*\\.gen)\\.ts$' },
      to: {},
    },
    {
      name: 'not-reachable-from-the-command',
      severity: 'error',
      comment: 'Only tests use this module: remove it, or move it to test/support.',
      from: { path: '^(src/cli/main\\.ts$|tools/|bench/)' },
      to: { path: '^src/', pathNot: '(\\.gen|^src/cli/main)\\.ts$', reachable: false },
    },
    {
      name: 'product-does-not-know-tests-or-tools',
      severity: 'error',
      comment: 'Tests, tools and benchmarks use src, never the other way round: move what the product needs into src.',
      from: { path: '^src/' },
      to: { path: '^(test|tools|bench)/' },
    },
    {
      name: 'imports-exist',
      severity: 'error',
      comment: 'The module is not there, or not a dependency in package.json.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(build|dist|dist-tools)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.d.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types'],
    },
  },
};

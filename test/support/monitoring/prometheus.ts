// Debian's Prometheus in a namespace of a lab: it scrapes one agent and answers queries. What they ought to be is not known here.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HOST, type Lab } from '../../../tools/lab/namespaces.ts';
import { ruleFiles } from './queries.ts';

export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data?: {
    readonly result: readonly { readonly metric: Record<string, string>; readonly value: [number, string] }[];
  };
}

const ADDRESS = '127.0.0.1:9090';

/** In the namespace of the lab: a query a line comes in, an answer a line goes out. */
const ASK = `
  const lines = require('node:fs').readFileSync(0, 'utf8').split('\\n').filter((line) => line !== '');
  (async () => {
    for (const line of lines) {
      const body = new URLSearchParams({ query: JSON.parse(line) });
      const response = await fetch('http://${ADDRESS}/api/v1/query', { method: 'POST', body });
      console.log(JSON.stringify(await response.json()));
    }
  })();
`;

export class Prometheus {
  readonly #lab: Lab;
  readonly #log: string[] = [];

  private constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** It ends with the lab. `target` = address and port of what it scrapes, every second. */
  static start(lab: Lab, project: string, target: string): Prometheus {
    const folder = join(lab.directory, 'prometheus');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'prometheus.yml');
    writeFileSync(
      file,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
        rule_files: ruleFiles(project),
        scrape_configs: [{ job_name: 'tortie', static_configs: [{ targets: [target] }] }],
      }),
    );
    const flags = [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=warn'];
    const prometheus = new Prometheus(lab);
    const child = lab.spawn(HOST, ['prometheus', ...flags, `--web.listen-address=${ADDRESS}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => prometheus.#log.push(text));
    return prometheus;
  }

  get log(): string {
    return this.#log.join('');
  }

  /** In order. Throws what is wrong with one of them. */
  async ask(queries: readonly string[]): Promise<Series[][]> {
    const input = queries.map((query) => JSON.stringify(query)).join('\n');
    const { stdout } = await this.#lab.exec(HOST, [process.execPath, '-e', ASK], input);
    return stdout
      .trim()
      .split('\n')
      .map((line, index) => {
        const { status, error, data } = JSON.parse(line) as Answer;
        if (status !== 'success' || data === undefined) throw new Error(`${queries[index]}: ${error}`);
        return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
      });
  }
}

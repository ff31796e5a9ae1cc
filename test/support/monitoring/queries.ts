// Every query of the rules and dashboards that we ship, ready to be asked of a Prometheus.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const RULES = 'packaging/prometheus';
const DASHBOARDS = 'packaging/grafana';

export interface Query {
  readonly where: string;
  readonly expr: string;
}

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Panel {
  readonly id: number;
  readonly title: string;
  readonly description: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string }[];
}

export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

export function ruleFiles(project: string): string[] {
  return readdirSync(join(project, RULES))
    .filter((name) => name.endsWith('.rules.yml'))
    .map((name) => join(project, RULES, name));
}

export function rules(project: string): Rule[] {
  return ruleFiles(project).flatMap((file) => {
    const { groups } = parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] };
    return groups.flatMap((group) => group.rules);
  });
}

export function dashboards(project: string): Dashboard[] {
  const folder = join(project, DASHBOARDS);
  return readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Dashboard);
}

/** An alert that does not fire has no result: what is compared has. */
export function allQueries(project: string): Query[] {
  return [
    ...rules(project).map(({ record, alert, expr }) => ({
      where: record ?? `alert ${alert}`,
      expr: alert === undefined ? expr : withValues(expr),
    })),
    ...dashboards(project).flatMap(({ uid, panels }) =>
      panels.flatMap(({ title, targets }) =>
        targets.map(({ expr }) => ({ where: `${uid} / ${title}`, expr: expr.replaceAll('$instance', '.*') })),
      ),
    ),
  ];
}

/** Comparisons outside of selectors answer 0 or 1 instead of leaving out. */
function withValues(expr: string): string {
  return expr.replaceAll(/ (==|!=|>=|<=|>|<) (?!bool )/g, ' $1 bool ');
}

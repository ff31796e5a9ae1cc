// A vitest reporter of where the time of a run went: each tier, and its slowest files. Files of one tier may run side by side.
const SHOWN = 5;

export class Durations {
  /** Per tier, `[file, seconds]` of each. */
  #tiers = new Map();

  onTestRunEnd(modules) {
    for (const module of modules) {
      const { collectDuration, duration, prepareDuration, setupDuration } = module.diagnostic();
      const seconds = (collectDuration + duration + prepareDuration + setupDuration) / 1000;
      const files = this.#tiers.get(module.project.name) ?? [];
      files.push([module.relativeModuleId ?? module.moduleId, seconds]);
      this.#tiers.set(module.project.name, files);
    }
  }

  /** One line for each tier: `unit: 286 files, 410 s; slowest: test/unit/… 31 s, …`. */
  lines() {
    return [...this.#tiers].map(([tier, files]) => {
      const total = files.reduce((sum, [, seconds]) => sum + seconds, 0);
      const slowest = files.toSorted(([, left], [, right]) => right - left).slice(0, SHOWN);
      const named = slowest.map(([file, seconds]) => `${file.replace(`test/${tier}/`, '')} ${seconds.toFixed(0)} s`);
      return `${tier}: ${files.length} files, ${total.toFixed(0)} s; slowest: ${named.join(', ')}`;
    });
  }
}

/** Problems that a person should know of: kept until somebody listens. */
import type { Problem } from "../api.ts";
import { problemOf } from "../errors.ts";

/** Problems that are kept; the oldest go first. */
const MAX_KEPT = 64;

export class Alerts {
  #kept: Problem[] = [];
  /** Tells whoever listens; returns whether anybody does. Undefined before there are sessions. */
  #tell: ((problem: Problem) => boolean) | undefined;

  report(error: unknown, conversation?: string): void {
    const problem = problemOf(error, conversation);
    if (this.#tell?.(problem) !== true) this.#kept = [...this.#kept, problem].slice(-MAX_KEPT);
  }

  /** Hands out what was kept. */
  take(): readonly Problem[] {
    const kept = this.#kept;
    this.#kept = [];
    return kept;
  }

  connect(tell: (problem: Problem) => boolean): void {
    this.#tell = tell;
  }
}

/** The tests that mutants have to fail: the core's, without those of other things and those that judge by chance. */
import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import type { TestSpecification } from "vitest/node";
import { BaseSequencer } from "vitest/node";
import shared from "../../vite.config.ts";

/** What noticed the last mutant comes first, since the next one is near it; then quick files before slow ones. */
class QuickFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { cache, config } = this.ctx;
    const rank = ({ project, moduleId }: TestSpecification): number => {
      const last = cache.getFileTestResults(`${project.name}:${relative(config.root, moduleId)}`);
      return last === undefined ? 0 : last.failed ? -1 : last.duration;
    };
    return Promise.resolve([...files].sort((a, b) => rank(a) - rank(b)));
  }
}

export default defineConfig({
  ...shared,
  test: {
    // A mutant is switched on, not loaded: files can share the modules, which takes a third of the time.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    include: ["packages/core/test/**/*.test.ts"],
    exclude: [
      "**/node_modules/**",
      "**/*.slow.test.ts",
      "packages/core/test/{crypto,property}/**",
      "**/records.test.ts",
    ],
  },
});

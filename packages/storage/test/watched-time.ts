/** Virtual time that can be waited for: platform calls take real time until they come to wait. */
import { VirtualTime } from "@coppice/kit/testing";
import { expect, vi } from "vitest";

export class WatchedTime extends VirtualTime {
  readonly #waits: number[] = [];

  override after(milliseconds: number, callback: () => void): () => void {
    this.#waits.push(milliseconds);
    return super.after(milliseconds, callback);
  }

  /** Resolves when something has begun to wait for so long, for the `count`th time. */
  async untilWaiting(milliseconds: number, count = 1): Promise<void> {
    await vi.waitFor(() => {
      expect(this.#waits.filter((waited) => waited === milliseconds).length).toBeGreaterThanOrEqual(count);
    });
  }
}

/** Deletion of what is due, in slices between which everybody else gets a turn. */
import { Scope, type Time } from "@coppice/kit";

/** What a sweeper needs. */
export interface SweeperOptions {
  readonly time: Time;
  /** Milliseconds between looks at what is due. */
  readonly pause: number;
  /** Deletes a slice, of a few milliseconds. Returns whether more may be due. */
  readonly sweep: () => boolean | Promise<boolean>;
  /** Told of failures; sweeping goes on after the next pause. */
  readonly onError: (error: unknown) => void;
}

/** Sweeps now and then, until it is ended. */
export class Sweeper {
  readonly #options: SweeperOptions;
  readonly #scope = new Scope();
  readonly #running: Promise<void>;

  constructor(options: SweeperOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Resolves once nothing is being deleted any more. */
  async end(): Promise<void> {
    this.#scope.end(new DOMException("The sweeper has ended", "AbortError"));
    await this.#running;
  }

  async #run(): Promise<void> {
    const { time, pause, onError } = this.#options;
    for (;;) {
      await this.#scope.sleep(time, pause).catch(() => undefined);
      if (this.#scope.ended) return;
      await this.#sweepAll().catch(onError);
    }
  }

  async #sweepAll(): Promise<void> {
    const { time, sweep } = this.#options;
    for (let more = true; more && !this.#scope.ended;) {
      const start = time.elapsed();
      more = await sweep();
      // As much time for the others as this took.
      await this.#scope.sleep(time, Math.max(1, time.elapsed() - start)).catch(() => undefined);
    }
  }
}

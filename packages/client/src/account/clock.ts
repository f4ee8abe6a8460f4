/** Notices a device clock that jumps: what was made by it may be outside its time for everybody else. */
import { isCoppiceError, type Time } from "@coppice/kit";
import { clientError } from "../errors.ts";
import { CLOCK, clockRecord } from "../records/account.ts";
import type { Account } from "./account.ts";

/** Whole milliseconds since 1970, and none before. */
export const momentOf = (time: Time): number => Math.max(0, Math.floor(time.now()));

export interface ClockOptions {
  readonly time: Time;
  /** Told of a jump that a person should know of. */
  readonly report: (error: Error) => void;
  /** Told of every jump: what depends on the clock has to be looked at again. */
  readonly onJump: () => void;
}

/** Milliseconds that a clock is set right by, now and then. */
const TOLERANCE = 5 * 60_000;

/** What the Delivery Service's clock may differ: leaves are valid from an hour before they are made. */
const SKEW = 3_600_000;

/**
 * A jump back is seen by the monotonic clock. A jump forward may also be a device that slept; there the Delivery Service's clock
 * decides, which comes with each log entry.
 */
export class ClockWatch {
  readonly #options: ClockOptions;
  #now: number;
  #elapsed: number;
  /** Whether the Delivery Service's clock says that this one is wrong, to say so once. */
  #wrong = false;
  /** When a person was told last. */
  #told: number | undefined;

  constructor(options: ClockOptions) {
    this.#options = options;
    this.#now = options.time.now();
    this.#elapsed = options.time.elapsed();
  }

  /** Compares how far both clocks went since the last look. */
  check(): void {
    const { time, onJump } = this.#options;
    const [now, elapsed] = [time.now(), time.elapsed()];
    const jump = now - this.#now - (elapsed - this.#elapsed);
    [this.#now, this.#elapsed] = [now, elapsed];
    if (Math.abs(jump) < TOLERANCE) return;
    if (jump < 0) this.#tell(jump);
    onJump();
  }

  /** `at`: the Delivery Service's clock, just now. */
  compare(at: number): void {
    this.check();
    const difference = this.#options.time.now() - at;
    if (Math.abs(difference) <= SKEW) this.#wrong = false;
    else if (!this.#wrong) {
      this.#wrong = true;
      this.#tell(difference);
    }
  }

  /** Compares with the latest time that this device has seen in earlier runs, and stores the present one. */
  async remember(account: Account): Promise<void> {
    const { time, onJump } = this.#options;
    const now = momentOf(time);
    let back = 0;
    await account
      .update([{ prefix: CLOCK, before: `${CLOCK}\0` }], ({ records }) => {
        const stored = records.get(CLOCK);
        const latest = stored === undefined ? 0 : clockRecord.decode(stored).latest;
        back = Math.max(back, latest - now);
        return { put: new Map([[CLOCK, clockRecord.encode({ latest: now })]]) };
      })
      .catch((error: unknown) => {
        if (!isCoppiceError(error, "ERR_STORE_QUOTA")) throw error;
      });
    if (back < SKEW) return;
    this.#tell(-back);
    onJump();
  }

  #tell(milliseconds: number): void {
    const elapsed = this.#options.time.elapsed();
    if (this.#told !== undefined && elapsed - this.#told < TOLERANCE) return;
    this.#told = elapsed;
    const direction = milliseconds < 0 ? "behind" : "ahead";
    this.#options.report(
      clientError("ERR_CLIENT_CLOCK", `The clock of this device jumped and may be ${direction}: set it right`, {
        detail: { milliseconds: Math.round(milliseconds) },
      }),
    );
  }
}

/** What operators watch, in the text form of Prometheus. Names of calls and counts: nothing that tells who does what. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** A request that is over. */
export interface RequestReport {
  /** The path of a call, `file`, or `other`. */
  readonly call: string;
  /** Of HTTP; 0 where the connection ended without an answer. */
  readonly status: number;
  readonly milliseconds: number;
}

/** Numbers that are read when somebody looks. */
export interface Readings {
  /** Open TCP connections. */
  readonly connections: () => number;
  /** Event connections. */
  readonly eventConnections: () => number;
  readonly bodyBytes: () => number;
  readonly answerBytes: () => number;
  readonly eventBytes: () => number;
  readonly storeBytes: () => Promise<number>;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<"call" | "status">;
  readonly #errors: Counter;
  readonly #commits: Histogram;

  constructor(readings: Readings) {
    const registers = [this.#registry];
    this.#requests = new Histogram({
      name: "coppice_request_seconds",
      help: "Requests by call and status, and how long they took",
      labelNames: ["call", "status"],
      buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
      registers,
    });
    this.#errors = new Counter({ name: "coppice_errors_total", help: "Failures inside the server", registers });
    this.#commits = new Histogram({
      name: "coppice_commit_changes",
      help: "Changes that shared one durable commit",
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
    const gauge = (name: string, help: string, read: () => number | Promise<number>): void => {
      new Gauge({
        name: `coppice_${name}`,
        help,
        registers,
        async collect() {
          this.set(await read());
        },
      });
    };
    gauge("connections", "Open TCP connections", readings.connections);
    gauge("event_connections", "Open event connections", readings.eventConnections);
    gauge("body_bytes", "Bytes of request bodies that are being received", readings.bodyBytes);
    gauge("answer_bytes", "Bytes of answers that are being sent", readings.answerBytes);
    gauge("event_bytes", "Bytes of events that are being sent", readings.eventBytes);
    gauge("store_bytes", "Bytes of the database that are in use", readings.storeBytes);
  }

  /** Of the text. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds what the platform says of the process: memory, processor, delays of the event loop. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  readonly request = ({ call, status, milliseconds }: RequestReport): void => {
    this.#requests.observe({ call, status }, milliseconds / 1000);
  };

  readonly error = (): void => {
    this.#errors.inc();
  };

  readonly commit = (changes: number): void => {
    this.#commits.observe(changes);
  };

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}

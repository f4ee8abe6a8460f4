/** Peers that do not read what they asked for. */
import { createServer } from "node:http";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { VirtualTime } from "@coppice/kit/testing";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { ByteBudget } from "../../src/guard/byte-budget.ts";
import { Pace } from "../../src/guard/pace.ts";
import { Answers } from "../../src/http/answers.ts";
import { startServer, temporaryFolder } from "../harness.ts";
import { openRaw, requestText } from "../raw-client.ts";
import { codeOf } from "../wire-client.ts";

/** More than the kernel keeps for a reader that sleeps. */
const LARGE = 8 * 1024 * 1024;

/** A server whose answers to all requests are large. */
async function largeAnswers() {
  const time = new VirtualTime();
  const budget = new ByteBudget({ total: 2 * LARGE + 10_000, share: 2 * LARGE + 10_000, time });
  const answers = new Answers(budget, new Pace(time, LARGE));
  const http = createServer((_, response) => answers.succeed(response, "someone", new Uint8Array(LARGE)));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  onTestFinished(() => {
    http.closeAllConnections();
    http.close();
  });
  return { time, budget, url: `http://127.0.0.1:${String((http.address() as AddressInfo).port)}` };
}

const sleeper = (url: string) => openRaw(url, requestText("GET /"), { reads: false });

describe("slow readers", () => {
  test("issue 15 (7): answers that nobody reads are bounded; the oldest make room for others", async () => {
    const { url, time, budget } = await largeAnswers();
    const sleepers = [await sleeper(url), await sleeper(url)];
    await vi.waitFor(() => expect(budget.bytes).toBeGreaterThan(2 * LARGE));
    expect(await codeOf(await fetch(url))).toBe("ERR_DS_RATE_LIMITED");
    await time.advance(2000);
    expect((await (await fetch(url)).arrayBuffer()).byteLength).toBe(LARGE);
    await vi.waitFor(() => expect(budget.bytes).toBe(LARGE + 1024));
    sleepers[1]?.socket.destroy();
    await vi.waitFor(() => expect(budget.bytes).toBe(0));
  });

  test("issue 15 (7): an answer has ten seconds and the time that its size needs", async () => {
    const { url, time, budget } = await largeAnswers();
    await sleeper(url);
    await vi.waitFor(() => expect(budget.bytes).toBeGreaterThan(0));
    await time.advance(10_999);
    expect(budget.bytes).toBeGreaterThan(0);
    await time.advance(1);
    await vi.waitFor(() => expect(budget.bytes).toBe(0));
  });

  test("issue 15 (7): files share the budget too", async () => {
    const time = new VirtualTime();
    const staticDirectory = await temporaryFolder();
    await writeFile(join(staticDirectory, "large"), new Uint8Array(LARGE));
    const { url } = await startServer({ time, staticDirectory, limits: { answersInFlightBytes: 4 * 140_000 } });
    await openRaw(url, requestText("GET /large"), { reads: false });
    await vi.waitFor(async () => expect((await fetch(`${url}/large`, { method: "HEAD" })).status).toBe(503));
    await time.advance(2000);
    expect((await (await fetch(`${url}/large`)).arrayBuffer()).byteLength).toBe(LARGE);
  });
});

/** Request bodies that do not come, come slowly, or come in too great a number. */
import { MEDIA_TYPE, requestChallenge, signIn } from "@coppice/delivery/wire";
import { VirtualTime } from "@coppice/kit/testing";
import { describe, expect, test, vi } from "vitest";
import { startServer } from "../harness.ts";
import { openRaw, requestText } from "../raw-client.ts";
import { codeOf, post } from "../wire-client.ts";

/** A request for `signIn` of which only `body` is sent. */
const begin = (body: string, length = 4000): string =>
  requestText(`POST /${signIn.path}`, { "content-type": MEDIA_TYPE, "content-length": length }, body);

describe("request bodies", () => {
  test("issue 15 (8): unfinished bodies share a budget, and the oldest makes room", async () => {
    const time = new VirtualTime();
    // One address may use a quarter: one body.
    const { url } = await startServer({ time, limits: { bodiesInFlightBytes: 4 * 4096 } });
    const first = await openRaw(url, begin("a".repeat(100)));
    const attempt = async () => codeOf(await post(url, requestChallenge.path, new Uint8Array(4096)));
    await vi.waitFor(async () => expect(await attempt()).toBe("ERR_DS_RATE_LIMITED"));
    await time.advance(2000);
    expect(await attempt()).toBe("ERR_DS_BAD_REQUEST");
    await first.ended;
    expect(first.text()).toBe("");
    expect(await attempt()).toBe("ERR_DS_BAD_REQUEST");
  });

  test("issue 15 (8): what is only announced takes nothing of the budget", async () => {
    const { url } = await startServer({ limits: { bodiesInFlightBytes: 4 * 4096 } });
    for (let i = 0; i < 5; i++) await openRaw(url, begin(""));
    expect(await codeOf(await post(url, requestChallenge.path, new Uint8Array(4096)))).toBe("ERR_DS_BAD_REQUEST");
  });

  test("issue 15 (8): a body has ten seconds, and more as it comes", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time, limits: { bytesPerSecond: 10 } });
    const [stalled, slow] = [await openRaw(url, begin("a")), await openRaw(url, begin("a".repeat(100)))];
    // Both have arrived once a third request was answered.
    await post(url, requestChallenge.path, new Uint8Array(1));
    await time.advance(11_000);
    await stalled.ended;
    expect(slow.socket.readableEnded).toBe(false);
    await time.advance(10_000);
    await slow.ended;
  });

  test("issue 15 (8): a refused body is read on for a while only", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time });
    const endless = await openRaw(url, begin("", 1e12));
    await vi.waitFor(() => expect(endless.text()).toMatch(/^HTTP\/1\.1 413 /));
    await time.advance(10_001);
    await endless.ended;
    const fast = await openRaw(url, begin("", 1e12));
    let sent = 0;
    while (!fast.socket.readableEnded && !fast.socket.destroyed && sent < 64e6) {
      fast.socket.write(new Uint8Array(1e6));
      sent += 1e6;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(sent).toBeLessThan(64e6);
  });
});

/** What the client makes of answers that no Delivery Service would give. */
import { describe, expect, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { connectDelivery } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";
import * as wire from "@coppice/delivery/wire";

const headers = { "content-type": wire.MEDIA_TYPE };
const answer = <Q, A>({ answer }: wire.Call<Q, A>, value: A) => new Response(wire.encode(answer, value), { headers });

type Respond = (url: string, init: RequestInit) => Response | Promise<Response>;

/** A server that signs everybody in and answers everything else with `respond`. */
async function clientOf(respond: Respond, time = new VirtualTime()) {
  const fetch = async (input: URL, init: RequestInit) => {
    const url = String(input);
    if (url.endsWith(wire.requestChallenge.path)) return answer(wire.requestChallenge, { nonce: new Uint8Array(8) });
    if (url.endsWith(wire.signIn.path)) return answer(wire.signIn, { token: "token", expiresAt: 0 });
    return respond(url, init);
  };
  const options = { url: "https://ds.example/prefix", identity: await createIdentity(), time };
  return connectDelivery({ ...options, fetch: fetch as typeof globalThis.fetch });
}

const outcome = async (respond: Respond) =>
  (await clientOf(respond)).countKeyPackages().catch((error: unknown) => error);

describe("the HTTP client", () => {
  test("asks below the URL's path, with the token in a header and nothing ambient", async () => {
    const seen: unknown[] = [];
    const service = await clientOf((url, { method, headers, credentials, redirect }) => {
      seen.push({ url, method, headers, credentials, redirect });
      return answer(wire.countKeyPackages, { count: 3 });
    });
    expect(await service.countKeyPackages()).toBe(3);
    expect(seen).toEqual([
      {
        url: "https://ds.example/prefix/v2/key-packages/count",
        method: "POST",
        headers: { "content-type": wire.MEDIA_TYPE, authorization: "Bearer token" },
        credentials: "omit",
        redirect: "error",
      },
    ]);
  });

  test("takes a captive portal, a proxy's error page and a broken network for no answer", async () => {
    const unreachable = { code: "ERR_DS_UNREACHABLE" };
    const html = { headers: { "content-type": "text/html" } };
    expect(await outcome(() => new Response("<h1>Sign in to the Wi-Fi</h1>", html))).toMatchObject(unreachable);
    expect(await outcome(() => new Response("bad gateway", { status: 502, ...html }))).toMatchObject(unreachable);
    expect(await outcome(() => Promise.reject(new TypeError("fetch failed")))).toMatchObject(unreachable);
    const torn = new ReadableStream({ start: (controller) => controller.error(new Error("reset")) });
    expect(await outcome(() => new Response(torn, { headers }))).toMatchObject(unreachable);
  });

  test("refuses malformed and endless answers", async () => {
    const internal = { code: "ERR_DS_INTERNAL" };
    expect(await outcome(() => new Response(new Uint8Array([1]), { headers }))).toMatchObject(internal);
    expect(await outcome(() => new Response("junk", { status: 409, headers }))).toMatchObject(internal);
    let produced = 0;
    const endless = new ReadableStream({
      pull: (controller) => {
        produced += 1;
        controller.enqueue(new Uint8Array(1_000_000));
      },
    });
    expect(await outcome(() => new Response(endless, { headers }))).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
    expect(produced).toBeLessThan(30);
  });

  test("signs in again once, not for ever", async () => {
    let calls = 0;
    const { status, body } = wire.encodeFailure(wire.deliveryError("ERR_DS_UNAUTHENTICATED", "who are you?"));
    const refused = () => {
      calls += 1;
      return new Response(body, { status, headers });
    };
    expect(await outcome(refused)).toMatchObject({ code: "ERR_DS_UNAUTHENTICATED" });
    expect(calls).toBe(2);
  });

  test("many calls at once are no leak", async () => {
    const warnings: unknown[] = [];
    const onWarning = (warning: Error) => warnings.push(warning.name);
    process.on("warning", onWarning);
    const service = await clientOf(() => answer(wire.countKeyPackages, { count: 0 }));
    await Promise.all(Array.from({ length: 100 }, () => service.countKeyPackages()));
    await new Promise((resolve) => setTimeout(resolve, 10));
    process.off("warning", onWarning);
    expect(warnings).toEqual([]);
  });

  test("stops waiting at the time limit even if fetch ignores its signal", async () => {
    const time = new VirtualTime();
    const service = await clientOf(() => new Promise(() => undefined), time);
    const call = service.countKeyPackages().catch((error: unknown) => error);
    await time.advance(20_000);
    expect(await call).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
  });

  test("ends the request of a call that was aborted or whose client was closed", async () => {
    const signals: AbortSignal[] = [];
    const service = await clientOf((_url, { signal }) => {
      if (signal) signals.push(signal);
      return new Promise(() => undefined);
    });
    const time = new VirtualTime();
    const controller = new AbortController();
    const aborted = service.countKeyPackages({ signal: controller.signal });
    const closed = service.readInbox();
    await time.advance(0);
    controller.abort(new Error("no longer wanted"));
    await expect(aborted).rejects.toThrow("no longer wanted");
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    await service.close();
    await expect(closed).rejects.toMatchObject({ code: "ERR_DS_CLOSED" });
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  test("does not keep an application waiting for a silent server", async () => {
    const time = new VirtualTime();
    const identity = await createIdentity();
    const fetch = () => new Promise<never>(() => undefined);
    const connecting = connectDelivery({ url: "https://ds.example", identity, fetch, time });
    await time.advance(3000);
    const service = await connecting;
    const call = service.countKeyPackages().catch((error: unknown) => error);
    await time.advance(20_000);
    expect(await call).toMatchObject({ code: "ERR_DS_UNREACHABLE" });
  });

  test("tells the caller's mistakes apart", async () => {
    const identity = await createIdentity();
    await expect(connectDelivery({ url: "ftp://x", identity })).rejects.toThrow(TypeError);
    await expect(connectDelivery({ url: "https://user:password@x", identity })).rejects.toThrow(TypeError);
    const noKey = { ...identity, publicKey: new Uint8Array(0) };
    await expect(connectDelivery({ url: "https://x", identity: noKey })).rejects.toThrow(RangeError);
  });
});

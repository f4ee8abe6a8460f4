import { EVENTS_PATH, MEDIA_TYPE } from "@coppice/delivery/wire";
import { describe, expect, test, vi } from "vitest";
import { addressOf } from "../src/http/address.ts";
import { startServer } from "./harness.ts";
import { openRaw, requestText, upgradeText } from "./raw-client.ts";
import { codeOf, post } from "./wire-client.ts";

const page = (origin: string) => ({ origin });

describe("cross-origin requests", () => {
  test("a page of a foreign origin is refused, and gets no permission to read", async () => {
    const { url } = await startServer({ allowedOrigins: ["https://app.example"] });
    for (const origin of ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null"]) {
      const response = await post(url, "v2/inbox/read", "", page(origin));
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
      expect(await codeOf(response)).toBe("ERR_DS_FORBIDDEN");
    }
  });

  test("a page of an allowed origin may ask and read, one of the server's own needs no permission", async () => {
    const { url } = await startServer({ allowedOrigins: ["https://app.example", "chrome-extension://abcdef"] });
    const preflight = await fetch(`${url}/v2/inbox/read`, { method: "OPTIONS", headers: page("https://app.example") });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toBe("authorization, content-type");
    expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    for (const origin of ["https://app.example", "chrome-extension://abcdef"]) {
      const response = await post(url, "v2/inbox/read", "", page(origin));
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(await codeOf(response)).toBe("ERR_DS_UNAUTHENTICATED");
    }
    expect(await codeOf(await post(url, "v2/inbox/read", "", page(url)))).toBe("ERR_DS_UNAUTHENTICATED");
  });
});

describe("issue 15 (21): the request's Host", () => {
  test("does not make a foreign origin the server's own", async () => {
    const { url } = await startServer({ origins: ["https://chat.example"] });
    const ask = async (host: string, origin: string) => {
      const headers = { host, origin, "content-type": MEDIA_TYPE, "content-length": 0 };
      const { text } = await openRaw(url, requestText("POST /v2/inbox/read", headers));
      await vi.waitFor(() => expect(text()).toMatch(/ERR_DS_\w+/));
      return /ERR_DS_\w+/.exec(text())?.[0];
    };
    const { host } = new URL(url);
    expect(await ask("evil.example", "http://evil.example")).toBe("ERR_DS_FORBIDDEN");
    expect(await ask("chat.example", "http://chat.example")).toBe("ERR_DS_FORBIDDEN");
    expect(await ask("evil.example", "https://chat.example")).toBe("ERR_DS_UNAUTHENTICATED");
    expect(await ask("evil.example", `http://${host}`)).toBe("ERR_DS_UNAUTHENTICATED");
    const upgrade = await openRaw(
      url,
      upgradeText(`/${EVENTS_PATH}`, { host: "evil.example", origin: "http://evil.example" }),
    );
    await upgrade.ended;
    expect(upgrade.text()).toMatch(/^HTTP\/1\.1 403 /);
  });
});

describe("addresses for rate limits", () => {
  const address = (remoteAddress: string, trustProxy = false, forwarded?: string) =>
    addressOf({ socket: { remoteAddress }, headers: { "x-forwarded-for": forwarded } } as never, trustProxy);

  test("an IPv6 user counts by /64, a mapped IPv4 address as what it is", () => {
    expect(address("192.0.2.1")).toBe("192.0.2.1");
    expect(address("::ffff:192.0.2.1")).toBe("192.0.2.1");
    expect(address("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2");
    expect(address("2001:db8::1")).toBe("2001:db8:0:0");
    expect(address("fe80::1%eth0")).toBe("fe80:0:0:0");
    expect(address("::1")).toBe("0:0:0:0");
  });

  test("what a proxy says counts only if it is trusted, and only what it added itself", () => {
    expect(address("10.0.0.1", false, "192.0.2.9")).toBe("10.0.0.1");
    expect(address("10.0.0.1", true, "203.0.113.1, 192.0.2.9")).toBe("192.0.2.9");
    expect(address("10.0.0.1", true)).toBe("10.0.0.1");
  });
});

/** Issue 11 (12): an account does not depend on how its server's URL is written. */
import { describe, expect, test } from "vitest";
import { connectDelivery, normalServerUrl } from "@coppice/delivery";
import { createIdentity } from "@coppice/delivery/conformance";

describe("the normal form of a server's URL", () => {
  test.each([
    "https://s.example",
    "https://s.example/",
    "https://s.example/#/chat/7",
    "https://s.example/?v=2",
    "https://s.example/?v=2#/chat/7",
    "HTTPS://S.Example:443",
    "https://s.example//",
    "https://s.example/a/../",
    " https://s.example ",
  ])("%s is one server", (url) => {
    expect(normalServerUrl(url)).toBe("https://s.example/");
    expect(normalServerUrl(new URL(url))).toBe("https://s.example/");
    expect(normalServerUrl(normalServerUrl(url))).toBe("https://s.example/");
  });

  test.each([
    ["http://localhost:80", "http://localhost/"],
    ["http://localhost:8080", "http://localhost:8080/"],
    ["https://s.example/chat", "https://s.example/chat/"],
    ["https://s.example//chat//", "https://s.example/chat/"],
    ["https://s.example/%c3%a9", "https://s.example/%C3%A9/"],
    ["https://s.example/é", "https://s.example/%C3%A9/"],
    ["https://bücher.example", "https://xn--bcher-kva.example/"],
    ["http://[::1]:7000", "http://[::1]:7000/"],
  ])("%s is %s", (url, normal) => {
    expect(normalServerUrl(url)).toBe(normal);
  });

  test.each([
    [undefined, "missing"],
    [null, "missing"],
    ["", "missing"],
    [7, "a string or a URL, not a number"],
    ["s.example", "must be absolute"],
    ["/api", "must be absolute"],
    ["ftp://s.example", "must begin with https://"],
    ["ws://s.example", "must begin with https://"],
    ["javascript:alert(1)", "must begin with https://"],
    ["https://user:secret@s.example", "user name or password"],
  ])("%s is a TypeError that says what is wrong", (url, words) => {
    const attempt = () => normalServerUrl(url as string);
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(words);
    expect(attempt).not.toThrow("secret");
  });

  test("issue 11 (34): connecting without a server says so", async () => {
    const identity = await createIdentity();
    await expect(connectDelivery({ identity } as unknown as Parameters<typeof connectDelivery>[0])).rejects.toThrow(
      "The server's URL is missing: give one, for example https://chat.example",
    );
  });
});

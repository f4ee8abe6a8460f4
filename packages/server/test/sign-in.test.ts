import { describe, expect, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { createIdentity } from "@coppice/delivery/conformance";
import { countKeyPackages, requestChallenge, signIn, signInMessage } from "@coppice/delivery/wire";
import { startServer } from "./harness.ts";
import { call, codeOf, post, prepareSignIn, tokenFor } from "./wire-client.ts";

const refusal = (code: string) => ({ code });

describe("adversarial 43: sign-in", () => {
  test("a call without a token, with a malformed or with a foreign one is unauthenticated", async () => {
    const { url } = await startServer();
    const token = await tokenFor(url, await createIdentity());
    const forged = token.replace(/^./, (first) => (first === "A" ? "B" : "A"));
    for (const authorization of [
      undefined,
      "",
      "Bearer",
      "Bearer ",
      `Basic ${token}`,
      `Bearer ${forged}`,
      `Bearer ${token} x`,
    ]) {
      const headers = authorization === undefined ? {} : { authorization };
      const response = await post(url, countKeyPackages.path, new Uint8Array(), headers);
      expect(response.status).toBe(401);
      expect(await codeOf(response)).toBe("ERR_DS_UNAUTHENTICATED");
    }
    expect(await call(url, countKeyPackages, undefined, token)).toEqual({ count: 0 });
  });

  test("a token of another server is foreign", async () => {
    const [first, second] = [await startServer(), await startServer()];
    const token = await tokenFor(first.url, await createIdentity());
    await expect(call(second.url, countKeyPackages, undefined, token)).rejects.toMatchObject(
      refusal("ERR_DS_UNAUTHENTICATED"),
    );
  });

  test("a token is over when it expires", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time, limits: { tokenLifetime: 1000 } });
    const token = await tokenFor(url, await createIdentity());
    await time.advance(999);
    await call(url, countKeyPackages, undefined, token);
    await time.advance(1);
    await expect(call(url, countKeyPackages, undefined, token)).rejects.toMatchObject(
      refusal("ERR_DS_UNAUTHENTICATED"),
    );
  });

  test("a client has a bounded number of tokens: the oldest makes room", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time, limits: { tokensPerClient: 2 } });
    const identity = await createIdentity();
    const tokens: string[] = [];
    for (let i = 0; i < 3; i++) {
      tokens.push(await tokenFor(url, identity));
      await time.advance(1);
    }
    const outcomes = await Promise.allSettled(tokens.map((token) => call(url, countKeyPackages, undefined, token)));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled"]);
  });

  test("a challenge is good for one sign-in, also when the answer comes twice at the same instant", async () => {
    const { url } = await startServer();
    const answer = await prepareSignIn(url, await createIdentity());
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => call(url, signIn, answer)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(call(url, signIn, answer)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
  });

  test("a challenge expires", async () => {
    const time = new VirtualTime();
    const { url } = await startServer({ time, limits: { challengeLifetime: 1000 } });
    const identity = await createIdentity();
    const [early, late] = [await prepareSignIn(url, identity), await prepareSignIn(url, identity)];
    await time.advance(999);
    await call(url, signIn, early);
    await time.advance(1);
    await expect(call(url, signIn, late)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
  });

  test("an answer fits its own challenge, user, key, server and signature only", async () => {
    const { url } = await startServer();
    const [identity, other] = [await createIdentity(), await createIdentity()];
    const answer = await prepareSignIn(url, identity);
    const foreign = await prepareSignIn(url, other);
    const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
    const tampered = [
      { ...answer, nonce: foreign.nonce },
      { ...answer, client: other.client },
      { ...answer, client: { ...answer.client, device: other.client.device } },
      { ...answer, suite: 3 },
      { ...answer, publicKey: other.publicKey },
      { ...answer, publicKey: new Uint8Array(32) },
      { ...answer, signature: foreign.signature },
      { ...answer, nonce: new Uint8Array(1) },
      ...Array.from(answer.nonce.keys(), (at) => ({ ...answer, nonce: flipped(answer.nonce, at) })),
      { ...answer, signature: flipped(answer.signature, 63) },
    ];
    for (const attempt of tampered) {
      await expect(call(url, signIn, attempt)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
    }
    await call(url, signIn, answer);
  });

  test("issue 15 (17): a key for which everybody can sign does not sign in, nor does one that is no key", async () => {
    const { url } = await startServer();
    const identity = await createIdentity();
    const neutral = new Uint8Array(32).fill(1, 0, 1);
    // R is the neutral element and S is 0: right for every message under the neutral element as key.
    const forged = new Uint8Array(64).fill(1, 0, 1);
    for (const publicKey of [neutral, new Uint8Array(32), new Uint8Array(32).fill(255)]) {
      const key = { suite: 1, publicKey };
      const sign = () => Promise.resolve(forged);
      const register = { ...identity.register, change: { ...identity.register.change, key }, signature: forged };
      const answer = await prepareSignIn(url, { ...identity, publicKey, sign, register });
      await expect(call(url, signIn, answer)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
    }
  });

  test("a sign-in that was made for another server is refused", async () => {
    const { url } = await startServer();
    const identity = await createIdentity();
    const elsewhere = await prepareSignIn(url, identity, "https://elsewhere.example");
    await expect(call(url, signIn, elsewhere)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
    const relabelled = { ...elsewhere, audience: url };
    await expect(call(url, signIn, relabelled)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
  });

  test("a challenge of one server is refused by another", async () => {
    const [first, second] = [await startServer(), await startServer()];
    const identity = await createIdentity();
    const { client, suite, publicKey, register } = identity;
    const { nonce } = await call(first.url, requestChallenge, { client, suite, publicKey });
    const statement = { audience: second.url, client, suite, publicKey, nonce };
    const answer = { ...statement, signature: await identity.sign(signInMessage(statement)), register };
    await expect(call(second.url, signIn, answer)).rejects.toMatchObject(refusal("ERR_DS_SIGN_IN"));
  });

  test("issue 11 (14): of names that look alike only the first is registered, also at once", async () => {
    const { url } = await startServer();
    await tokenFor(url, await createIdentity({ user: "mike" }));
    const lookAlike = { code: "ERR_DS_NAME_TAKEN", detail: { reason: "look-alike" } };
    await expect(tokenFor(url, await createIdentity({ user: "rnike" }))).rejects.toMatchObject(lookAlike);
    const both = [await createIdentity({ user: "modern" }), await createIdentity({ user: "modem" })];
    const outcomes = await Promise.allSettled(both.map((identity) => tokenFor(url, identity)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });

  test("a configured origin is accepted, a malformed one is the caller's mistake", async () => {
    const { url } = await startServer({ origins: ["https://chat.example"] });
    const identity = await createIdentity();
    await call(url, signIn, await prepareSignIn(url, identity, "https://chat.example"));
    await call(url, signIn, await prepareSignIn(url, identity, url.replace("127.0.0.1", "localhost")));
    await expect(startServer({ origins: ["https://chat.example/path"] })).rejects.toThrow(TypeError);
  });

  test("new names, sign-ins and requests from one address are rate limited", async () => {
    const time = new VirtualTime();
    const rate = { burst: 2, perSecond: 1 };
    const { url } = await startServer({ time, limits: { registrationsPerAddress: rate } });
    const [first, second, third] = [await createIdentity(), await createIdentity(), await createIdentity()];
    await tokenFor(url, first);
    await tokenFor(url, second);
    const limited = { code: "ERR_DS_RATE_LIMITED", detail: { retryAfter: 1 } };
    await expect(tokenFor(url, third)).rejects.toMatchObject(limited);
    await tokenFor(url, first);
    await time.advance(1000);
    await tokenFor(url, third);

    const strict = await startServer({ limits: { signInsPerAddress: { burst: 1, perSecond: 0.001 } } });
    await tokenFor(strict.url, first);
    await expect(tokenFor(strict.url, first)).rejects.toMatchObject({ code: "ERR_DS_RATE_LIMITED" });

    const busy = await startServer({ limits: { requestsPerAddress: { burst: 3, perSecond: 0.001 } } });
    const token = await tokenFor(busy.url, first);
    await call(busy.url, countKeyPackages, undefined, token);
    await expect(call(busy.url, countKeyPackages, undefined, token)).rejects.toMatchObject({
      code: "ERR_DS_RATE_LIMITED",
    });
  });
});

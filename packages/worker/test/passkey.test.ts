/** What the helper asks an authenticator, and what it makes of the answer. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { createPasskey, passkeyKey } from "../src/passkey.ts";

class PublicKeyCredentialStub {
  readonly rawId = Uint8Array.of(251, 255, 1, 2).buffer;
  readonly results: object;

  constructor(results: object) {
    this.results = results;
  }

  getClientExtensionResults(): object {
    return this.results;
  }
}

/** An authenticator that gives these results; what it was asked. */
function authenticator(results: object | Error) {
  const answer = vi.fn(async (_options: { readonly publicKey: Record<string, unknown> }) => {
    if (results instanceof Error) throw results;
    return new PublicKeyCredentialStub(results);
  });
  vi.stubGlobal("PublicKeyCredential", PublicKeyCredentialStub);
  vi.stubGlobal("navigator", { credentials: { create: answer, get: answer } });
  vi.stubGlobal("location", { hostname: "chat.example" });
  return answer;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe("a passkey", () => {
  it("is made for this site, and is kept as an id and a salt", async () => {
    const asked = authenticator({ prf: { enabled: true } });
    const passkey = await createPasskey({ name: "alice" });
    expect(passkey.id).toBe("-_8BAg");
    expect(passkey.salt).toMatch(/^[\w-]{43}$/);
    expect(asked.mock.calls[0]?.[0].publicKey).toMatchObject({
      rp: { name: "chat.example" },
      user: { name: "alice" },
      extensions: { prf: {} },
    });
  });

  it("gives a key of its salt, the same each time", async () => {
    const asked = authenticator({ prf: { results: { first: new Uint8Array(32).fill(3).buffer } } });
    const salt = Buffer.alloc(32, 9).toString("base64url");
    const key = await passkeyKey({ id: "-_8BAg", salt });
    expect(key.kind).toBe("application");
    const { allowCredentials, extensions } = asked.mock.calls[0]?.[0].publicKey ?? {};
    expect(allowCredentials).toEqual([{ type: "public-key", id: Uint8Array.of(251, 255, 1, 2) }]);
    expect(extensions).toEqual({ prf: { eval: { first: new Uint8Array(32).fill(9) } } });
  });

  it("of an authenticator without the extension is refused, and so is a browser without passkeys", async () => {
    authenticator({});
    const passkey = { id: "AAAA", salt: "AAAA" };
    for (const call of [createPasskey({ name: "alice" }), passkeyKey(passkey)]) {
      await expect(call).rejects.toMatchObject({ code: "ERR_STORE_PASSKEY_UNSUPPORTED" });
    }
    vi.unstubAllGlobals();
    await expect(passkeyKey(passkey)).rejects.toMatchObject({ code: "ERR_STORE_PASSKEY_UNSUPPORTED" });
  });

  it("that the person declines is told with its cause; a signal's reason as it is", async () => {
    const declined = new DOMException("declined", "NotAllowedError");
    authenticator(declined);
    await expect(createPasskey({ name: "alice" })).rejects.toMatchObject({
      code: "ERR_STORE_PASSKEY_REFUSED",
      cause: declined,
    });
    const reason = new Error("of the caller");
    const signal = AbortSignal.abort(reason);
    await expect(passkeyKey({ id: "AAAA", salt: "AAAA" }, { signal })).rejects.toBe(reason);
  });

  it("that is none is a TypeError", async () => {
    authenticator({});
    for (const passkey of [{ id: "AAAA" }, { id: "", salt: "AAAA" }, { id: "A+A=", salt: "AAAA" }]) {
      await expect(passkeyKey(passkey as never)).rejects.toThrow(TypeError);
    }
  });
});

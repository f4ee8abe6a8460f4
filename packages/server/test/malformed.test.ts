/** Whatever bytes arrive, the server answers with a code of the contract and keeps working. */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mapLimit } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import { createIdentity } from "@coppice/delivery/conformance";
import * as wire from "@coppice/delivery/wire";
import { createServer, type CoppiceServer } from "@coppice/server";
import { codeOf, post, tokenFor } from "./wire-client.ts";

const groupId = new Uint8Array(32).fill(1);
const message = new Uint8Array(40).fill(2);
const key = new Uint8Array(32);

const device = "0123456789abcdef".repeat(2);
const claimant = { client: { user: "someone", device }, suite: 1, publicKey: key };
const position = { incarnation: device, seq: 3 };
const identity = await createIdentity();

/** A valid request for every call. */
const requests: readonly (readonly [path: string, body: Uint8Array])[] = [
  sample(wire.requestChallenge, claimant),
  sample(wire.signIn, {
    ...claimant,
    audience: "http://x",
    nonce: message,
    signature: new Uint8Array(64),
    register: identity.register,
  }),
  sample(wire.publishKeyPackages, { keyPackages: [message, message], lastResort: message, replace: true }),
  sample(wire.countKeyPackages, undefined),
  sample(wire.claimKeyPackages, { users: ["someone", "else"] }),
  sample(wire.readDeviceLog, { user: "someone", from: 0 }),
  sample(wire.appendDeviceLog, identity.register),
  sample(wire.createGroup, { groupId, groupInfo: message }),
  sample(wire.submitCommit, {
    groupId,
    position,
    epoch: 0n,
    commit: message,
    groupInfo: message,
    added: [
      { client: claimant.client, welcome: message },
      { client: { user: "else", device }, welcome: undefined },
    ],
    removed: [claimant.client],
  }),
  sample(wire.sendMessages, { groupId, position, messages: [{ epoch: 0n, message }] }),
  sample(wire.readLog, { groupId, after: position, limit: 256 }),
  sample(wire.readGroups, { after: groupId }),
  sample(wire.readGroupInfo, { groupId }),
  sample(wire.readInbox, undefined),
  sample(wire.acknowledgeInbox, { id: 1 }),
  sample(wire.pollEvents, { cursor: "", wait: 0 }),
];

function sample<Q, A>({ path, request }: wire.Call<Q, A>, value: Q): readonly [string, Uint8Array] {
  return [path, wire.encode(request, value)];
}

describe("malformed requests", () => {
  let server: CoppiceServer;
  let headers: Record<string, string>;
  const internalErrors: unknown[] = [];
  const unlimited = { burst: 1e9, perSecond: 1e9 };
  const limits = { requestsPerAddress: unlimited, requestsPerUser: unlimited, signInsPerAddress: unlimited };

  beforeAll(async () => {
    const onError = (error: unknown) => internalErrors.push(error);
    server = await createServer({ port: 0, database: ":memory:", limits, onError });
    headers = { authorization: `Bearer ${await tokenFor(server.url, await createIdentity())}` };
  });
  afterAll(() => server.close());

  const answerTo = async (path: string, body: Uint8Array) => {
    const code = await codeOf(await post(server.url, path, body, headers));
    expect(internalErrors).toEqual([]);
    expect(code).not.toBe("ERR_DS_INTERNAL");
    return code;
  };

  test("every call that is cut off is malformed", async () => {
    for (const [path, body] of requests) {
      // The codec's own tests cut at every byte.
      const ends = [...body.keys()].filter((end) => end % 11 === 0 || end === body.length - 1);
      const cuts = await mapLimit(ends, 16, (end) => answerTo(path, body.subarray(0, end)));
      expect(cuts, path).toEqual(ends.map(() => "ERR_DS_BAD_REQUEST"));
    }
  });

  test("every call with a byte too many is malformed", async () => {
    for (const [path, body] of requests) {
      expect(await answerTo(path, new Uint8Array([...body, 0])), path).toBe("ERR_DS_BAD_REQUEST");
    }
  });

  test("every call with changed or arbitrary bytes gets an answer of the contract", async () => {
    const changed = fc
      .tuple(fc.constantFrom(...requests), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([[path, body], changes]) => {
        const mutant = body.slice();
        for (const [at, value] of changes) mutant[at % Math.max(1, mutant.length)] = value;
        return [path, mutant] as const;
      });
    const arbitrary = fc.tuple(fc.constantFrom(...requests.map(([path]) => path)), fc.uint8Array({ maxLength: 200 }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(changed, arbitrary), async ([path, body]) => {
        await answerTo(path, body);
      }),
      { numRuns: 200 },
    );
  });

  test("a length beyond the body is refused without allocating it", async () => {
    const huge = new Uint8Array([0xbf, 0xff, 0xff, 0xff, 1, 2, 3]);
    for (const [path] of requests) expect(await answerTo(path, huge), path).toBe("ERR_DS_BAD_REQUEST");
  });

  test("other methods, media types and paths are refused", async () => {
    const get = await fetch(`${server.url}/v2/inbox/read`, { headers });
    expect(await codeOf(get)).toBe("ERR_DS_BAD_REQUEST");
    const json = await post(server.url, "v2/inbox/read", "", { ...headers, "content-type": "application/json" });
    expect(await codeOf(json)).toBe("ERR_DS_BAD_REQUEST");
    expect(await codeOf(await post(server.url, "v2/constructor", "", headers))).toBe("ERR_DS_BAD_REQUEST");
    expect((await post(server.url, "elsewhere", "", headers)).status).toBe(404);
  });

  test("a failure inside the server says nothing about itself", async () => {
    const onError = (error: unknown) => seen.push(error);
    const seen: unknown[] = [];
    const time = new VirtualTime();
    const broken = await createServer({ port: 0, database: ":memory:", time, onError });
    vi.spyOn(time, "elapsed")
      // When the request began.
      .mockImplementationOnce(() => 0)
      .mockImplementationOnce(() => {
        throw new Error("secret detail");
      });
    const response = await post(
      broken.url,
      wire.requestChallenge.path,
      wire.encode(wire.requestChallenge.request, claimant),
    );
    const body = Buffer.from(await response.arrayBuffer()).toString("latin1");
    await broken.close();
    expect(response.status).toBe(500);
    expect(body).toContain("ERR_DS_INTERNAL");
    expect(body).not.toContain("secret");
    expect(seen).toMatchObject([{ message: "secret detail" }]);
  });
});

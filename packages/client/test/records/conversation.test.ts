import { describe, expect, test } from "vitest";
import type { HistoryItem } from "@coppice/client";
import { itemRecord, metaRecord, outboxRecord, pendingRecord, type Meta } from "../../src/records/conversation.ts";
import { fromOrdinal, ordinal } from "../../src/records/primitives.ts";

const meta: Meta = {
  cursor: 2 ** 40,
  lastItem: 3,
  handedOver: 2,
  nextOutbox: 1,
  registered: true,
  joinedEpoch: 2n ** 63n,
  invitedBy: "Zo\u00eb",
  welcome: Uint8Array.of(1, 2),
  leaving: false,
  problem: undefined,
};

const items: readonly HistoryItem[] = [
  { seq: 1, kind: "undecryptable", at: 5, epoch: 2n, problem: "ERR_MLS_AEAD" },
  { seq: 2, kind: "change", at: 6, epoch: 3n, actor: "a", added: ["b"], removed: [], renamedTo: "", joined: true },
  {
    seq: 3,
    kind: "message",
    sender: "a",
    isSelf: true,
    data: Uint8Array.of(0),
    at: 7,
    epoch: 3n,
    state: "failed",
    problem: "ERR_DS_QUOTA",
  },
];

describe("records", () => {
  test("decode to what was encoded", () => {
    expect(metaRecord.decode(metaRecord.encode(meta))).toEqual(meta);
    for (const item of items) expect(itemRecord.decode(itemRecord.encode(item))).toEqual(item);
    const entry = { item: 4, sealed: { epoch: 1n, message: Uint8Array.of(9) }, failed: false };
    expect(outboxRecord.decode(outboxRecord.encode(entry))).toEqual(entry);
    for (const intent of [
      { operation: "add", names: ["b", "c"] },
      { operation: "remove", names: ["b"] },
      { operation: "rename", title: "T" },
      { operation: "update" },
    ] as const) {
      const pending = { intent, attempt: 2, commit: Uint8Array.of(1), staged: Uint8Array.of(2) };
      expect(pendingRecord.decode(pendingRecord.encode(pending))).toEqual(pending);
    }
  });

  test("truncated at every byte, or longer by one: ERR_STORE_CORRUPT", () => {
    const encoded = metaRecord.encode(meta);
    for (let length = 1; length < encoded.length; length++) {
      expect(() => metaRecord.decode(encoded.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "ERR_STORE_CORRUPT" }),
      );
    }
    expect(() => metaRecord.decode(Uint8Array.of(...encoded, 0))).toThrow(
      expect.objectContaining({ code: "ERR_STORE_CORRUPT" }),
    );
  });

  test("adversarial 41: a record of a newer version is not touched", () => {
    const encoded = metaRecord.encode(meta);
    encoded[0] = 2;
    expect(() => metaRecord.decode(encoded)).toThrow(expect.objectContaining({ code: "ERR_STORE_NEWER_SCHEMA" }));
  });

  test("ordinals sort like their numbers", () => {
    const numbers = [0, 1, 9, 10, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER];
    const sorted = numbers.map(ordinal).sort();
    expect(sorted.map((text) => fromOrdinal(`item/${text}`))).toEqual(numbers);
  });
});

import { describe, expect, test } from "vitest";
import type { HistoryItem } from "@coppice/client";
import {
  itemRecord,
  summaryRecord,
  outboxRecord,
  pendingRecord,
  type Summary,
} from "../../src/records/conversation.ts";
import { fromOrdinal, ordinal } from "../../src/records/primitives.ts";

const summary: Summary = {
  titleKey: new Uint8Array(16).fill(7),
  title: "Garden",
  status: "active",
  problem: undefined,
  epoch: 2n ** 63n,
  memberCount: 3,
  invitedBy: "Zo\u00eb",
  position: { incarnation: "0123456789abcdef".repeat(2), seq: 2 ** 40 },
  own: [{ from: 2 ** 40 + 2, to: 2 ** 40 + 3 }],
  lastItem: 3,
  handedOver: 2,
  nextOutbox: 1,
  queued: 1,
  pending: { operation: "add", attempt: 1 },
  committed: [new Uint8Array(16).fill(8)],
  leaving: false,
  proposed: true,
  joinedEpoch: 2n ** 62n,
  welcome: Uint8Array.of(1, 2),
  ended: [
    { epoch: 1n, at: 5 },
    { epoch: 2n, at: undefined },
  ],
  resent: [{ epoch: 3n, from: 5, to: 6 }],
  used: { epoch: 2n ** 63n, handshake: 1, application: 2 ** 32 },
  recovery: 1,
};

const items: readonly HistoryItem[] = [
  { seq: 1, kind: "undecryptable", at: 5, epoch: 2n, problem: "ERR_MLS_AEAD" },
  {
    seq: 2,
    kind: "change",
    at: 6,
    epoch: 3n,
    actor: "a",
    added: ["b"],
    removed: [],
    left: ["c"],
    renamedTo: "",
    joined: true,
  },
  {
    seq: 3,
    kind: "message",
    id: "0f".repeat(16),
    sender: "a",
    isSelf: true,
    data: Uint8Array.of(0),
    at: 7,
    epoch: 3n,
    state: "failed",
    problem: "ERR_DS_QUOTA",
  },
  { seq: 4, kind: "gap", at: 8, epoch: 4n, problem: "ERR_MLS_DECODE" },
];

describe("records", () => {
  test("decode to what was encoded", () => {
    expect(summaryRecord.decode(summaryRecord.encode(summary))).toEqual(summary);
    for (const item of items) expect(itemRecord.decode(itemRecord.encode(item))).toEqual(item);
    const entry = { item: 4, sealed: { epoch: 1n, message: Uint8Array.of(9) }, resent: true };
    expect(outboxRecord.decode(outboxRecord.encode(entry))).toEqual(entry);
    for (const intent of [
      { operation: "add", users: ["b", "c"] },
      { operation: "remove", users: ["b"] },
      { operation: "rename", title: "T" },
      { operation: "update" },
    ] as const) {
      const pending = { intent, attempt: 2, commit: Uint8Array.of(1), staged: Uint8Array.of(2) };
      expect(pendingRecord.decode(pendingRecord.encode(pending))).toEqual(pending);
    }
  });

  test("truncated at every byte, or longer by one: ERR_STORE_CORRUPT", () => {
    const encoded = summaryRecord.encode(summary);
    for (let length = 1; length < encoded.length; length++) {
      expect(() => summaryRecord.decode(encoded.subarray(0, length))).toThrow(
        expect.objectContaining({ code: "ERR_STORE_CORRUPT" }),
      );
    }
    expect(() => summaryRecord.decode(Uint8Array.of(...encoded, 0))).toThrow(
      expect.objectContaining({ code: "ERR_STORE_CORRUPT" }),
    );
  });

  test("adversarial 41: a record of a newer version is not touched", () => {
    const encoded = summaryRecord.encode(summary);
    encoded[0] = 3;
    expect(() => summaryRecord.decode(encoded)).toThrow(expect.objectContaining({ code: "ERR_STORE_NEWER_SCHEMA" }));
  });

  test("a record from before the first release is named as such", () => {
    const encoded = summaryRecord.encode(summary);
    encoded[0] = 1;
    expect(() => summaryRecord.decode(encoded)).toThrow(expect.objectContaining({ code: "ERR_STORE_OLD_SCHEMA" }));
  });

  test("ordinals sort like their numbers", () => {
    const numbers = [0, 1, 9, 10, 255, 256, 2 ** 32, Number.MAX_SAFE_INTEGER];
    const sorted = numbers.map(ordinal).sort();
    expect(sorted.map((text) => fromOrdinal(`item/${text}`))).toEqual(numbers);
  });
});

/**
 * Random clients at once, with lost answers, removals and returns, against what must hold in the end: one winner per epoch, no
 * number twice, the same bytes once, nothing read by who may not.
 */
import { describe, expect, test } from "vitest";
import { randomBytes, toHex } from "@coppice/core";
import { isCoppiceError } from "@coppice/kit";
import { VirtualTime } from "@coppice/kit/testing";
import type { ClientId, LogEntry } from "@coppice/delivery/contract";
import { openWorld, register } from "./harness.ts";

const CLIENTS = 4;
const STEPS = 250;

describe("random clients of one group", () => {
  test.each([1, 2, 3])("seed %i", async (seed) => {
    const time = new VirtualTime({ seed });
    const dice = () => time.random();
    const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(dice() * values.length)];
    const world = await openWorld();
    const { domain } = world;
    const clients: ClientId[] = [];
    for (let i = 0; i < CLIENTS; i++) clients.push((await register(world)).client);
    const [founder = { user: "", device: "" }] = clients;
    const groupId = randomBytes(16);
    const { incarnation } = await domain.createGroup(founder, { groupId, groupInfo: randomBytes(4) });

    /** The model: who reads from where to where, by the accepted Commits. */
    const admissions = new Map<string, { readonly from: number; until: number }[]>();
    admissions.set(founder.user, [{ from: 0, until: Infinity }]);
    const readsNow = ({ user }: ClientId) => admissions.get(user)?.some(({ until }) => until === Infinity) ?? false;
    const posted = new Map<string, number>();
    const winners = new Map<bigint, number>();
    let epoch = 0n;
    let lastSeq = 0;
    const resend: (() => Promise<void>)[] = [];

    const send = async (client: ClientId, at: bigint, messages: readonly Uint8Array<ArrayBuffer>[]) => {
      const batch = messages.map((message) => ({ epoch: at, message }));
      const { seqs } = await domain.sendMessages(client, {
        groupId,
        position: { incarnation, seq: Math.floor(dice() * lastSeq) },
        messages: batch,
      });
      for (const [i, message] of messages.entries()) {
        const known = posted.get(toHex(message));
        if (known !== undefined) expect(seqs[i]).toBe(known);
        posted.set(toHex(message), seqs[i] ?? 0);
        lastSeq = Math.max(lastSeq, seqs[i] ?? 0);
      }
    };
    const commit = async (client: ClientId, at: bigint) => {
      const added = clients.filter((other) => !readsNow(other) && dice() < 0.5);
      const removed = clients.filter((other) => other !== client && readsNow(other) && dice() < 0.3);
      const submission = {
        groupId,
        position: { incarnation, seq: 0 },
        epoch: at,
        commit: randomBytes(16),
        groupInfo: randomBytes(4),
        added: added.map((other) => ({ client: other, welcome: randomBytes(4) })),
        removed,
      };
      const outcome = await domain.submitCommit(client, submission);
      if (!outcome.accepted) {
        expect(winners.has(at)).toBe(true);
        return;
      }
      expect(winners.has(at)).toBe(false);
      winners.set(at, outcome.seq);
      epoch = at + 1n;
      lastSeq = outcome.seq;
      for (const { user } of removed) {
        for (const admission of admissions.get(user) ?? []) admission.until = Math.min(admission.until, outcome.seq);
      }
      for (const { user } of added) {
        admissions.set(user, [...(admissions.get(user) ?? []), { from: outcome.seq, until: Infinity }]);
      }
      resend.push(async () => {
        expect(await domain.submitCommit(client, submission)).toEqual({ accepted: true, seq: outcome.seq });
      });
    };

    for (let step = 0; step < STEPS; step++) {
      const client = pick(clients) ?? founder;
      const at = dice() < 0.8 ? epoch : epoch - BigInt(Math.floor(dice() * 7));
      const roll = dice();
      try {
        if (roll < 0.6) {
          const messages = Array.from({ length: 1 + Math.floor(dice() * 3) }, () => randomBytes(8));
          await send(client, at < 0n ? 0n : at, messages);
          resend.push(() => send(client, epoch, messages));
        } else if (roll < 0.9) await commit(client, at < 0n ? 0n : at);
        else await pick(resend)?.();
        if (roll < 0.9) expect(readsNow(client) || roll >= 0.6).toBe(true);
      } catch (error) {
        if (!isCoppiceError(error)) throw error;
        expect(["ERR_DS_FORBIDDEN", "ERR_DS_EPOCH_TOO_OLD"]).toContain(error.code);
        if (error.code === "ERR_DS_FORBIDDEN" && roll < 0.9) expect(readsNow(client)).toBe(false);
        if (error.code === "ERR_DS_EPOCH_TOO_OLD") expect(epoch - at).toBeGreaterThan(4n);
      }
      if (!clients.some(readsNow)) break;
    }

    const everything = new Map<number, LogEntry>();
    for (const client of clients) {
      const allowed = (admissions.get(client.user) ?? []).flatMap(({ from, until }) =>
        Array.from({ length: Math.max(0, Math.min(until, lastSeq) - from) }, (_, i) => from + i + 1),
      );
      const read: number[] = [];
      for (let seq = 0; admissions.has(client.user); seq = read.at(-1) ?? 0) {
        const page = await domain.readLog(client, { groupId, after: { incarnation, seq }, limit: 7 });
        if (page.entries.length === 0) break;
        for (const entry of page.entries) everything.set(entry.seq, entry);
        read.push(...page.entries.map((entry) => entry.seq));
      }
      expect(read).toEqual([...new Set(allowed)].sort((a, b) => a - b));
    }
    expect(lastSeq).toBeGreaterThan(50);
    const contents = [...everything.values()].map(({ message }) => toHex(message));
    expect(new Set(contents).size).toBe(contents.length);
    for (const [hex, seq] of posted)
      if (everything.has(seq)) expect(toHex(everything.get(seq)?.message ?? groupId)).toBe(hex);
    for (const [ended, seq] of winners) if (everything.has(seq)) expect(everything.get(seq)?.epoch).toBe(ended);
    expect(winners.size).toBe(Number(epoch));
  });
});

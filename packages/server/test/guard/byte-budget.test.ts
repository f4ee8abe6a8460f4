import { describe, expect, test } from "vitest";
import { VirtualTime } from "@coppice/kit/testing";
import { ByteBudget } from "../../src/guard/byte-budget.ts";

function makeBudget({ total = 100, share = 100 } = {}) {
  const time = new VirtualTime();
  const budget = new ByteBudget({ total, share, time });
  const ended: string[] = [];
  return { time, budget, ended, open: (key: string, name = key) => budget.open(key, () => ended.push(name)) };
}

describe("byte budget", () => {
  test("what fits is held until it is released, what does not is refused and changes nothing", () => {
    const { budget, open, ended } = makeBudget();
    const [first, second] = [open("a"), open("b")];
    expect([first.resize(60), second.resize(41), second.resize(40)]).toEqual([true, false, true]);
    expect([first.resize(61), first.resize(10), second.resize(90)]).toEqual([false, true, true]);
    first.release();
    second.release();
    second.release();
    expect([budget.bytes, ended]).toEqual([0, []]);
  });

  test("who has held bytes for longest is ended for others, never one who just began", async () => {
    const { time, budget, open, ended } = makeBudget();
    const [slow, slower, recent] = [open("slow"), open("slower"), open("recent")];
    slower.resize(40);
    await time.advance(1);
    slow.resize(40);
    await time.advance(1999);
    recent.resize(20);
    expect(open("new").resize(30)).toBe(true);
    expect(ended).toEqual(["slower"]);
    expect(open("newer").resize(20)).toBe(false);
    await time.advance(1);
    expect(open("newest").resize(20)).toBe(true);
    expect(ended).toEqual(["slower", "slow"]);
    expect(slower.resize(1)).toBe(false);
    expect(budget.bytes).toBe(70);
  });

  test("one key may hold its share only, and loses its own oldest for more", async () => {
    const { time, open, ended } = makeBudget({ share: 50 });
    const other = open("other");
    other.resize(50);
    const [first, second] = [open("a", "first"), open("a", "second")];
    first.resize(40);
    expect(second.resize(20)).toBe(false);
    await time.advance(2000);
    expect(second.resize(20)).toBe(true);
    expect(ended).toEqual(["first"]);
  });

  test("a peer that reads all and waits anew is young again", async () => {
    const { time, open, ended } = makeBudget();
    const lively = open("lively");
    const slow = open("slow");
    lively.resize(50);
    slow.resize(50);
    await time.advance(2000);
    lively.resize(0);
    lively.resize(50);
    expect(open("new").resize(50)).toBe(true);
    expect(ended).toEqual(["slow"]);
  });
});

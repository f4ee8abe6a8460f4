/**
 * Clocks by seed: devices sign in while the world's clock is anywhere from 1970 to years ahead, it jumps while they talk, and devices
 * are ahead of each other. Once it is right, everybody can be added and reads everything. `COPPICE_PROPERTY_RUNS` sets how many seeds
 * are tried, a tenth of it: 10; `npm run property` tries 200.
 */
import { expect, test } from "vitest";
import type { Conversation } from "@coppice/client";
import { World } from "../world.ts";

const RUNS = Math.ceil(Number(process.env["COPPICE_PROPERTY_RUNS"] ?? 100) / 10);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test.each(Array.from({ length: RUNS }, (_, i) => i + 1))(
  "adversarial 52: clocks that were wrong, and jump, keep nobody out (seed %i)",
  async (seed) => {
    const world = new World({ seed });
    const { time } = world;
    const pick = <T>(...choices: readonly [T, ...T[]]): T =>
      choices[Math.floor(time.random() * choices.length)] ?? choices[0];
    const right = time.now();
    const moments = [
      1000,
      HOUR - 1000,
      right - 400 * DAY,
      right - DAY,
      right,
      right + HOUR,
      right + DAY,
      right + 700 * DAY,
    ];
    const devices = ["alice", "bob", "carol"].map((name) => world.device(name));
    for (const device of devices) {
      time.jump((moments[Math.floor(time.random() * moments.length)] ?? right) - time.now());
      await (await device.open()).engine.close();
    }
    time.jump(right + 800 * DAY - time.now());
    const problems: string[] = [];
    const clients = [];
    for (const device of devices) {
      const clockAhead = pick(0, 0, 60_000, -60_000);
      const { client } = await device.open({ clockAhead });
      client.on("problem", ({ code }) => problems.push(code));
      clients.push(client);
    }
    for (let i = 0; i < 3; i++) for (const client of clients) await world.run(client.sync());
    const [alice, ...others] = clients;
    if (alice === undefined) throw new RangeError("three clients");
    const group = await alice.createGroup();
    await world.run(group.add(["bob", "carol"]));
    const all: Conversation[] = [group];
    for (const client of others) all.push(await world.arrival(client, group.id));
    await world.agree(...all);

    for (let step = 0; step < 6; step++) {
      time.jump(pick(-DAY, -HOUR, -1000, 0, 1000, HOUR, DAY));
      const from = pick(...(all as [Conversation, ...Conversation[]]));
      if (pick(true, false)) await world.run(from.update());
      await from.send(`step ${String(step)}`);
      await world.agree(...all);
    }
    for (const conversation of all) expect(conversation.snapshot.status).toBe("active");
    expect(problems.filter((code) => code !== "ERR_CLIENT_CLOCK")).toEqual([]);
  },
  60_000,
);

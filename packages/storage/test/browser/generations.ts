/** A sender's ratchet, as far as a store is concerned: a counter of which every value is used once. */
import { isCoppiceError } from "@coppice/kit";
import { oneRecord, type Store } from "../../src/index.ts";

/** Takes `count` generations: every second one under the lock, the others by compare-and-swap alone. */
export async function takeGenerations(store: Store, count: number): Promise<number[]> {
  const taken: number[] = [];
  const take = async (): Promise<void> => {
    const { version, records } = await store.read("ratchet", [oneRecord("generation")]);
    const generation = Number(new TextDecoder().decode(records.get("generation")));
    const put = new Map([["generation", new TextEncoder().encode(String(generation + 1))]]);
    await store.write([{ partition: "ratchet", expectedVersion: version, put }]);
    taken.push(generation);
  };
  while (taken.length < count) {
    try {
      await (taken.length % 2 === 0 ? take() : store.exclusive("ratchet", take));
    } catch (error) {
      if (!isCoppiceError(error, "ERR_STORE_CONFLICT")) throw error;
    }
  }
  return taken;
}

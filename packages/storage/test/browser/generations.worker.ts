/** The other context of "two contexts on two threads". */
import { openIndexedDbStore } from "../../src/index.ts";
import { takeGenerations } from "./generations.ts";

self.addEventListener("message", ({ data }: MessageEvent<{ name: string; count: number }>) => {
  void (async () => {
    const store = await openIndexedDbStore({ name: data.name });
    const taken = await takeGenerations(store, data.count);
    await store.close();
    self.postMessage(taken);
  })();
});

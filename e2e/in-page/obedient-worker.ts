/** The SDK's worker, and it does what no worker does by itself: it stands still, or ends as by a crash, when it is told to. */
import "coppice/worker";

/** What the page posts, over the channel that has the worker's name. */
export type Order = { readonly standStill: number } | "end";

/** Memory that nobody writes to: waiting on it blocks the thread. */
const { buffer } = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
const nothing = new Int32Array(buffer);

const channel = new BroadcastChannel(self.name);
channel.addEventListener("message", ({ data }: MessageEvent<Order>) => {
  if (data === "end") self.close();
  else Atomics.wait(nothing, 0, 0, data.standStill);
});

/** A worker whose engine is a fake: `sync` never ends, a group called "crash" throws where nobody catches. */
import { serveWorker } from "../../../src/host.ts";
import { FakeClient, FakeConversation, never } from "../../fake-client.ts";

/** Engines that are open in this worker. */
const engines = new Set<FakeClient>();

class WaitingClient extends FakeClient {
  override createGroup({ title = "" }: { title?: string } = {}): Promise<FakeConversation> {
    if (title === "crash") {
      setTimeout(() => {
        throw new Error("a defect");
      });
      return new Promise(() => undefined);
    }
    const group = new FakeConversation(crypto.randomUUID(), title);
    for (const _ of engines) group.message(Uint8Array.of(1), { sender: "bob", isSelf: false, state: "sent" });
    return Promise.resolve(this.appear(group));
  }

  override async close(): Promise<void> {
    engines.delete(this);
    await super.close();
  }
}

serveWorker(async ({ name }) => {
  const engine = new WaitingClient(name);
  engine.syncBehaviour = (options) => never(options?.signal);
  engines.add(engine);
  return engine;
});

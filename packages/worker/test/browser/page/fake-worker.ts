/** A worker whose engine is a fake: `sync` never ends, a group called "crash" throws where nobody catches. */
import { serveWorker } from "../../../src/host.ts";
import { FakeClient, FakeConversation, never } from "../../fake-client.ts";
import { FakeSource } from "../../fake-engine.ts";

/** Sessions that are open in this worker. */
const sessions = new Set<FakeClient>();

class WaitingClient extends FakeClient {
  override createGroup({ title = "" }: { title?: string } = {}): Promise<FakeConversation> {
    if (title === "crash") {
      setTimeout(() => {
        throw new Error("a defect");
      });
      return new Promise(() => undefined);
    }
    const group = new FakeConversation(crypto.randomUUID(), title);
    for (const _ of sessions) group.message(Uint8Array.of(1), { sender: "bob", isSelf: false, state: "sent" });
    return Promise.resolve(this.appear(group));
  }

  override async close(): Promise<void> {
    sessions.delete(this);
    await super.close();
  }
}

serveWorker(
  new FakeSource((name) => {
    const session = new WaitingClient(name);
    session.syncBehaviour = (options) => never(options?.signal);
    sessions.add(session);
    return session;
  }),
);

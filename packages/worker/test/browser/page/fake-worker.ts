/** A worker whose engine is a fake: `sync` never ends, a group called "crash" throws where nobody catches. */
import { serveWorker } from "../../../src/host.ts";
import { FakeClient, FakeConversation, never } from "../../fake-client.ts";
import { FakeSource } from "../../fake-engine.ts";

const source = new FakeSource((name) => {
  const session = new WaitingClient(name);
  session.syncBehaviour = (options) => never(options?.signal);
  return session;
});

class WaitingClient extends FakeClient {
  override createGroup({ title = "" }: { title?: string } = {}): Promise<FakeConversation> {
    if (title === "crash") {
      setTimeout(() => {
        throw new Error("a defect");
      });
      return new Promise(() => undefined);
    }
    const group = new FakeConversation(crypto.randomUUID(), title);
    const counts = {
      engines: source.running.length,
      sessions: source.running.flatMap(({ sessions }) => sessions).filter(({ closed }) => closed === 0).length,
    };
    const data = new TextEncoder().encode(JSON.stringify(counts));
    group.message(data, { sender: "bob", isSelf: false, state: "sent" });
    return Promise.resolve(this.appear(group));
  }
}

serveWorker(source);

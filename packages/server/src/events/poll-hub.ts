/** The hub as long polling sees it: a bounded number of mailboxes, since each keeps what nobody has fetched. */
import type { ClientId } from "@coppice/delivery";
import { EventHub, type Subscriber } from "@coppice/delivery/domain";
import { deliveryError } from "@coppice/delivery/wire";
import { Tally } from "../guard/tally.ts";

export class PollHub extends EventHub {
  readonly #hub: EventHub;
  readonly #tally: Tally;

  constructor(hub: EventHub, most: number) {
    super();
    this.#hub = hub;
    this.#tally = new Tally({ perKey: most });
  }

  override subscribe(client: ClientId, subscriber: Subscriber): () => void {
    const giveBack = this.#tally.take("");
    if (giveBack === undefined) {
      const detail = { retryAfter: 60 };
      throw deliveryError("ERR_DS_RATE_LIMITED", "Too many clients poll: use a WebSocket or try again later", {
        detail,
      });
    }
    const release = this.#hub.subscribe(client, subscriber);
    return () => {
      giveBack();
      release();
    };
  }
}

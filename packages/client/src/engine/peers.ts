/** How the engines on one database hear of each other's life, besides what they write to the store. */

/** `ping`: is there a leader? `leader`: here, and this is how its connection is. */
export type PeerMessage =
  | { readonly kind: "ping" }
  | { readonly kind: "leader"; readonly online: boolean; readonly transport: "websocket" | "polling" | undefined };

/** A way to all other engines on the same database. Messages may be lost; nothing secret goes over it. */
export interface Peers {
  post(message: PeerMessage): void;
  /** Calls back with what others posted, as it arrived; returns what ends it. */
  subscribe(listener: (message: unknown) => void): () => void;
  close(): void;
}

/** Peers over a BroadcastChannel; undefined where there is none: then there are no other contexts either. */
export function broadcastPeers(name: string): Peers | undefined {
  if (typeof BroadcastChannel === "undefined") return undefined;
  const channel = new BroadcastChannel(name);
  return {
    post: (message) => {
      channel.postMessage(message);
    },
    subscribe: (listener) => {
      const onMessage = (event: MessageEvent): void => {
        listener(event.data);
      };
      channel.addEventListener("message", onMessage);
      return () => {
        channel.removeEventListener("message", onMessage);
      };
    },
    close: () => {
      channel.close();
    },
  };
}

/** Peers within one process: each call of the returned function opens another engine's end. */
export function memoryPeers(): () => Peers {
  const ends = new Set<Set<(message: unknown) => void>>();
  return () => {
    const own = new Set<(message: unknown) => void>();
    ends.add(own);
    return {
      post: (message) => {
        if (!ends.has(own)) return;
        queueMicrotask(() => {
          for (const end of ends) if (end !== own) for (const listener of end) listener(message);
        });
      },
      subscribe: (listener) => {
        own.add(listener);
        return () => {
          own.delete(listener);
        };
      },
      close: () => {
        ends.delete(own);
      },
    };
  };
}

/** The message, if it is one: any script of the origin may post to the channel. */
export function parsePeerMessage(data: unknown): PeerMessage | undefined {
  if (typeof data !== "object" || data === null || !("kind" in data)) return undefined;
  if (data.kind === "ping") return { kind: "ping" };
  if (data.kind !== "leader" || !("online" in data) || typeof data.online !== "boolean") return undefined;
  const transport = "transport" in data && isTransport(data.transport) ? data.transport : undefined;
  return { kind: "leader", online: data.online, transport };
}

const isTransport = (value: unknown): value is "websocket" | "polling" => value === "websocket" || value === "polling";

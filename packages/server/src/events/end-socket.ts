/** Ending event connections. */
import type { Time } from "@coppice/kit";
import type { WebSocket } from "ws";

/** How long a peer has to answer the closing handshake, milliseconds. The library would wait for half a minute. */
export const CLOSING_MS = 250;

/** Says why with a close code, and is gone soon after, whatever the peer does. */
export function endSocket(time: Time, socket: WebSocket, code: number): void {
  socket.close(code);
  const cancel = time.after(CLOSING_MS, () => {
    socket.terminate();
  });
  socket.once("close", cancel);
}

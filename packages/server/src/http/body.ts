/** Reading request bodies within a limit. */
import type { IncomingMessage } from "node:http";
import { deliveryError } from "@coppice/delivery/wire";

/** The whole body. `ERR_DS_TOO_LARGE` as soon as it is known to be over `maxBytes`; the rest is then not kept. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = (): Error => deliveryError("ERR_DS_TOO_LARGE", `at most ${String(maxBytes)} bytes are accepted`);
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (result: Error | Buffer): void => {
      request.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) settle(tooLarge());
      else chunks.push(chunk);
    };
    const onEnd = (): void => {
      settle(Buffer.concat(chunks, length));
    };
    const onGone = (): void => {
      settle(deliveryError("ERR_DS_BAD_REQUEST", "the request ended early"));
    };
    request.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

/** Serves the page, its worker and the fixtures to all engines, Node's included. */
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { buildFixture } from "../fixtures/build.ts";

export interface Server {
  readonly url: string;
  readonly close: () => void;
}

const FIXTURE = /^\/fixture\/(sparse|populated)\/([0-9]{1,6})$/;

/** Cross-origin isolated: that gives the page the finest clock there is. */
function answer(response: ServerResponse, type: string, body: string | Uint8Array, status = 200): void {
  const isolated = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
  response.writeHead(status, { "content-type": type, ...isolated }).end(body);
}

/** Fixtures are built when they are asked for, once. */
export async function serve(worker: string): Promise<Server> {
  const script = await readFile(worker);
  const fixtures = new Map<string, Promise<Uint8Array>>();
  const server = createServer((request, response) => {
    const { url = "/" } = request;
    const [, shape, members] = FIXTURE.exec(url) ?? [];
    if (url === "/worker.mjs") {
      answer(response, "text/javascript", script);
      return;
    }
    if (shape !== "sparse" && shape !== "populated") {
      answer(response, "text/html", "<!doctype html><title>bench</title>");
      return;
    }
    const fixture = fixtures.get(url) ?? buildFixture(shape, Number(members));
    fixtures.set(url, fixture);
    fixture.then(
      (body) => {
        answer(response, "application/octet-stream", body);
      },
      (error: unknown) => {
        answer(response, "text/plain", String(error), 500);
      },
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `http://127.0.0.1:${String(address.port)}/`, close: () => server.close() };
}

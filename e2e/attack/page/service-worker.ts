/** An engine in a service worker: it is woken, takes what is new, and goes back to sleep. */
import { isCoppiceError } from "coppice";
import { openHere } from "coppice/direct";

/** What is used of the global scope: the compiler has either its types or those of a page. */
interface Waiting extends MessageEvent<{ readonly name: string }> {
  waitUntil(work: Promise<unknown>): void;
}
const scope = self as unknown as {
  addEventListener(type: "message", listener: (event: Waiting) => void): void;
  readonly location: Location;
};

scope.addEventListener("message", (event) => {
  const [port] = event.ports;
  event.waitUntil(wake(event.data.name).then((outcome) => port?.postMessage(outcome)));
});

/** "ok", or the code of what failed. */
async function wake(name: string): Promise<string> {
  try {
    const client = await openHere({ name, server: scope.location.origin });
    await client.sync();
    await client.close();
    return "ok";
  } catch (error) {
    return isCoppiceError(error) ? error.code : String(error);
  }
}

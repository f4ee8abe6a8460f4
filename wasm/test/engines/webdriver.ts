/** As much of a W3C WebDriver client as WebKitGTK needs, over its own driver, which takes one session at a time. */
import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";

export interface WebDriverSession {
  readonly version: string;
  readonly open: (url: string) => Promise<void>;
  /** Evaluates the body of an async function of `arguments`; gives what it returns. */
  readonly evaluate: (body: string, args: readonly unknown[]) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Starts driver and browser on a display of their own. */
export async function openWebKitGtk(browser: string): Promise<WebDriverSession> {
  const port = await freePort();
  // A process group, so that display, driver and browser end together.
  const driver = spawn("xvfb-run", ["-a", "WebKitWebDriver", `--port=${port}`], { stdio: "ignore", detached: true });
  const failed = once(driver, "error").then(([error]) => Promise.reject(error as Error));
  failed.catch(() => undefined);
  try {
    const session = connect(`http://127.0.0.1:${port}`, browser, () => {
      end(driver);
    });
    return await Promise.race([session, failed]);
  } catch (error) {
    end(driver);
    throw error;
  }
}

function end(driver: ChildProcess): void {
  if (driver.pid === undefined || driver.exitCode !== null) return;
  process.kill(-driver.pid, "SIGTERM");
}

async function connect(origin: string, browser: string, end: () => void): Promise<WebDriverSession> {
  await answering(`${origin}/status`);
  const created = await command(`${origin}/session`, {
    capabilities: {
      alwaysMatch: {
        timeouts: { script: 600_000 },
        "webkitgtk:browserOptions": { binary: browser, args: ["--automation"] },
      },
    },
  });
  const { sessionId, capabilities } = created as {
    readonly sessionId: string;
    readonly capabilities: { readonly browserName?: string; readonly browserVersion?: string };
  };
  const session = `${origin}/session/${sessionId}`;
  return {
    version: `WebKitGTK ${capabilities.browserVersion ?? ""}`,
    open: async (url) => {
      await command(`${session}/url`, { url });
    },
    evaluate: async (body, args) => {
      const script = `const done = arguments[arguments.length - 1];
        (async () => { ${body} })().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const outcome = (await command(`${session}/execute/async`, { script, args })) as {
        readonly value?: unknown;
        readonly error?: string;
      };
      if (outcome.error !== undefined) throw new Error(outcome.error);
      return outcome.value;
    },
    close: async () => {
      await fetch(session, { method: "DELETE" }).catch(() => undefined);
      end();
    },
  };
}

async function command(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  const { value } = (await response.json()) as { readonly value: unknown };
  if (!response.ok) throw new Error(`${url}: ${JSON.stringify(value)}`);
  return value;
}

/** Waits until the driver listens. */
async function answering(url: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; ;) {
    try {
      await fetch(url);
      return;
    } catch (cause) {
      if (Date.now() > deadline) throw new Error("the WebDriver does not answer", { cause });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

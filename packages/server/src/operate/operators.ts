/** What listens for operators beside the server: the monitor and the socket of `coppice-server admin`. */
import type { Administration } from "../admin/administration.ts";
import { listenForAdmin } from "../admin/socket.ts";
import type { Health } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import { startMonitor } from "./monitor.ts";

export interface Operators {
  readonly monitorPort: number | undefined;
  readonly close: () => void;
}

/** Listens where the options say. The system's error if it cannot. */
export async function listenForOperators(
  {
    monitor,
    adminSocket,
  }: { readonly monitor?: { readonly host: string; readonly port: number }; readonly adminSocket?: string },
  {
    health,
    metrics,
    administration,
    onError,
  }: {
    readonly health: Health;
    readonly metrics: Metrics;
    readonly administration: Administration;
    readonly onError: (error: unknown) => void;
  },
): Promise<Operators> {
  const watching = monitor === undefined ? undefined : await startMonitor(monitor, { health, metrics });
  try {
    const end = adminSocket === undefined ? undefined : await listenForAdmin(adminSocket, administration, onError);
    return {
      monitorPort: watching?.port,
      close: () => {
        watching?.close();
        end?.();
      },
    };
  } catch (error) {
    watching?.close();
    throw error;
  }
}

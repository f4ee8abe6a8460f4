import { createServer } from "node:net";

/** @param {number} port @param {string} host @returns {Promise<boolean>} */
function isFree(port, host) {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}

/**
 * The first free port at or after `first`, out of 100.
 * @param {number} first @param {string} host @returns {Promise<number>}
 */
export async function freePort(first, host) {
  for (let port = first; port < first + 100 && port < 65_536; port++) {
    if (await isFree(port, host)) return port;
  }
  throw new Error(`No port from ${first} on is free.`);
}

/**
 * How the command `admin` reaches a running server: a socket in the file system that only the server's user may open. One
 * request is one line of JSON, and so is the answer.
 */
import { once } from "node:events";
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { Refusal, runCommand } from "./commands.ts";
import type { Administration } from "./administration.ts";

/** Longest request, bytes. */
const MAX_REQUEST = 64 * 1024;

type Answer = { readonly result: unknown } | { readonly refusal: string };

/** Listens at `path`, whatever a server before left there. The system's error if it cannot. */
export async function listenForAdmin(
  path: string,
  administration: Administration,
  onError: (error: unknown) => void,
): Promise<() => void> {
  rmSync(path, { force: true });
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).once("close", () => sockets.delete(socket));
    serve(socket, administration, onError).catch(() => socket.destroy());
  });
  // Nobody else gets in between the two: the folder's owner is the server's user, and the mask hides what is new.
  const mask = process.umask(0o177);
  try {
    server.listen(path);
    await once(server, "listening");
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}

async function serve(socket: Socket, administration: Administration, onError: (error: unknown) => void): Promise<void> {
  let request = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    request += String(chunk);
    if (request.length > MAX_REQUEST) throw new Error("A request is too long");
  }
  const words: unknown = JSON.parse(request);
  if (!Array.isArray(words) || !words.every((word) => typeof word === "string")) throw new Error("No request");
  const [command = "", ...rest] = words;
  socket.end(JSON.stringify(await answerTo(administration, command, rest, onError)));
}

async function answerTo(
  administration: Administration,
  command: string,
  words: readonly string[],
  onError: (error: unknown) => void,
): Promise<Answer> {
  try {
    return { result: (await runCommand(administration, command, words)) ?? null };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: error.message };
    onError(error);
    return { refusal: "The server failed: its log says why" };
  }
}

/** Asks the server that listens at `path`; `undefined` if none does. `Refusal`. */
export async function askServer(
  path: string,
  words: readonly string[],
): Promise<{ readonly result: unknown } | undefined> {
  const socket = connect({ path, allowHalfOpen: true });
  try {
    await once(socket, "connect");
  } catch {
    return undefined;
  }
  socket.end(JSON.stringify(words));
  const answer = JSON.parse(await text(socket)) as Answer;
  if ("refusal" in answer) throw new Refusal(answer.refusal);
  return answer;
}

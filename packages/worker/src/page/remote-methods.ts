/** Methods that run on the other side, made of the table of calls. */
import type { Calls, Methods } from "../calls.ts";

export type RemoteMethods<Api> = Readonly<Methods<Api>>;

/** A function for each line; it hands its arguments to `call`, whose outcome the line's codec has checked. */
export function remoteMethods<Api>(
  calls: Calls<Api>,
  call: (method: string, args: readonly unknown[]) => Promise<unknown>,
): RemoteMethods<Api> {
  const methods = Object.keys(calls).map((method) => [method, (...args: readonly unknown[]) => call(method, args)]);
  return Object.fromEntries(methods) as RemoteMethods<Api>;
}

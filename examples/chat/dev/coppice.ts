/** Stands in for the `coppice` package with `--mode fake`: the same names, no cryptography, no server. */
import type { Client } from "coppice";
import { openFake } from "./scenes.ts";

export { FakeError as CoppiceError, isFakeError as isCoppiceError } from "./fake-client.ts";

/** Opens the scene that the address names: `?scene=…`, see `scenes.ts`. */
export const Coppice = {
  open: (options: { readonly name: string }): Promise<Client> =>
    openFake(options.name, new URLSearchParams(location.search).get("scene") ?? "busy"),
};

/** The key-package directory: each is handed out once (RFC 9420 §16.8), the last resort when nothing else is left. */
import type { Bytes } from "@coppice/core";
import type { ClaimedKeyPackage, ClientId } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import { badRequest, requireCount, requireSize, unknownUser } from "./checks.ts";
import type { Context } from "./context.ts";
import { devicesOf, listsDevice } from "./directory-state.ts";
import { requireStoreSpace } from "./space.ts";
import type { DomainTransaction } from "./store.ts";

/** See `DeliveryService.publishKeyPackages`. */
export async function publishKeyPackages(
  context: Context,
  client: ClientId,
  batch: {
    readonly keyPackages: readonly Uint8Array[];
    readonly lastResort: Uint8Array | undefined;
    readonly replace: boolean;
  },
): Promise<void> {
  const { limits, sha256, clock } = context;
  for (const content of batch.keyPackages) requireSize(content, limits);
  if (batch.lastResort !== undefined) requireSize(batch.lastResort, limits);
  const lastResort = batch.lastResort === undefined ? undefined : new Uint8Array(batch.lastResort);
  const keyPackages = batch.keyPackages.map((content) => ({ hash: sha256(content), content: new Uint8Array(content) }));
  await context.change(async (tx) => {
    const user = (await tx.users([client.user])).get(client.user);
    // The session may be older than the log's newest entry.
    if (user === undefined || !listsDevice(user, client.device)) {
      throw deliveryError("ERR_DS_UNAUTHENTICATED", "The device log does not list this device any more");
    }
    if (batch.replace) {
      await tx.keepKeyPackages(
        client,
        keyPackages.map(({ hash }) => hash),
      );
    }
    await tx.addKeyPackages(client, keyPackages, clock.age());
    if ((await tx.countKeyPackages(client)) > limits.keyPackagesPerClient) {
      throw deliveryError("ERR_DS_QUOTA", `At most ${String(limits.keyPackagesPerClient)} key packages may wait`);
    }
    if (lastResort !== undefined) await tx.putLastResort(client, lastResort);
    await requireStoreSpace(tx, limits);
  });
}

/** See `DeliveryService.claimKeyPackages`. */
export async function claimKeyPackages(
  context: Context,
  { users: names }: { readonly users: readonly string[] },
): Promise<readonly ClaimedKeyPackage[]> {
  const { limits, clock } = context;
  requireCount(names.length, limits);
  if (new Set(names).size !== names.length) throw badRequest("A user is named twice");
  return context.change(async (tx) => {
    const users = await tx.users(names);
    for (const name of names) if (!users.has(name)) throw unknownUser(name);
    const claimed: ClaimedKeyPackage[] = [];
    for (const user of users.values()) {
      let found = 0;
      for (const client of devicesOf(user)) {
        const keyPackage = await take(tx, client, clock.age());
        if (keyPackage === undefined) continue;
        claimed.push({ client, keyPackage });
        found += 1;
      }
      if (found === 0) {
        throw deliveryError("ERR_DS_NO_KEY_PACKAGE", "The user has no key package left: try again once it was online", {
          detail: { user: user.name },
        });
      }
    }
    const position = new Map(names.map((name, index) => [name, index]));
    return claimed.sort((a, b) => (position.get(a.client.user) ?? 0) - (position.get(b.client.user) ?? 0));
  });
}

const take = async (tx: DomainTransaction, client: ClientId, age: number): Promise<Bytes | undefined> =>
  (await tx.takeKeyPackage(client, age)) ?? (await tx.lastResort(client));

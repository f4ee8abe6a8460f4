/** Names, keys and key packages of the in-memory Delivery Service. */
import type { ClaimedKeyPackage } from "../contract.ts";
import { deliveryError } from "../errors.ts";
import type { Bytes } from "../wire/codec.ts";
import { toKey } from "./key.ts";

export interface User {
  readonly name: string;
  readonly publicKey: string;
  readonly keyPackages: Bytes[];
  /** Every key package that was ever published, so that none is handed out twice. */
  readonly published: Set<string>;
  lastResort: Bytes | undefined;
}

export class Directory {
  readonly #users = new Map<string, User>();

  /** Registers the name or checks that it belongs to this key. */
  signIn(name: string, publicKey: Uint8Array): User {
    const key = toKey(publicKey);
    let user = this.#users.get(name);
    if (user === undefined) {
      user = { name, publicKey: key, keyPackages: [], published: new Set(), lastResort: undefined };
      this.#users.set(name, user);
    }
    if (user.publicKey !== key) throw deliveryError("ERR_DS_NAME_TAKEN", "the name belongs to another key");
    return user;
  }

  find(name: string): User {
    const user = this.#users.get(name);
    if (user === undefined) {
      throw deliveryError("ERR_DS_UNKNOWN_USER", "nobody has this name", { detail: { user: name } });
    }
    return user;
  }

  publish(user: User, keyPackages: readonly Bytes[], lastResort: Bytes | undefined): void {
    for (const keyPackage of keyPackages) {
      const key = toKey(keyPackage);
      if (user.published.has(key)) continue;
      user.published.add(key);
      user.keyPackages.push(keyPackage);
    }
    user.lastResort = lastResort ?? user.lastResort;
  }

  claim(names: readonly string[]): readonly ClaimedKeyPackage[] {
    if (new Set(names).size !== names.length) throw deliveryError("ERR_DS_BAD_REQUEST", "a user is named twice");
    const users = names.map((name) => this.find(name));
    for (const { name, keyPackages, lastResort } of users) {
      if (keyPackages.length === 0 && lastResort === undefined) {
        throw deliveryError("ERR_DS_NO_KEY_PACKAGE", "the user has no key package left", { detail: { user: name } });
      }
    }
    return users.flatMap((user) => {
      const keyPackage = user.keyPackages.shift() ?? user.lastResort;
      return keyPackage === undefined ? [] : [{ user: user.name, keyPackage }];
    });
  }
}

/** The WebAssembly demo of OpenMLS: suite 3, one member added at a time, key packages and trees as objects rather than bytes. */
import type { Bytes, Library, Member } from "./library.ts";
import { cannot, openOneByOne } from "./library.ts";
import * as mls from "openmls-wasm/openmls_wasm_bg.js";
import { identityOf } from "../fixtures/identity.ts";
import { fetchBytes } from "../fixtures/origin.ts";

/** What `WebAssembly` gives is what its generated bindings are to be called with. */
interface Exports extends WebAssembly.Exports {
  readonly __wbindgen_start: () => void;
}

let loading: Promise<void> | undefined;

function load(): Promise<void> {
  loading ??= instantiate();
  return loading;
}

async function instantiate(): Promise<void> {
  const imports = { "./openmls_wasm_bg.js": { ...mls } };
  const { instance } = await WebAssembly.instantiate(await fetchBytes("wasm/openmls-wasm"), imports);
  const exports = instance.exports as Exports;
  mls.__wbg_set_wasm(exports);
  exports.__wbindgen_start();
}

/** Key packages by the empty arrays that stand for them. */
const keyPackages = new WeakMap<Bytes, mls.KeyPackage>();

const copy = (bytes: Uint8Array): Bytes => new Uint8Array(bytes);

interface Held {
  readonly provider: mls.Provider;
  readonly identity: mls.Identity;
}

function memberOf(group: mls.Group, { provider, identity }: Held): Member {
  const open = (message: Bytes): Promise<Bytes> => Promise.resolve(copy(group.process_message(provider, message)));
  return {
    fork: cannot,
    commit: ({ add: [added] = [] }) => {
      const keyPackage = added === undefined ? undefined : keyPackages.get(added);
      if (keyPackage === undefined) return cannot();
      const { commit, welcome } = group.propose_and_commit_add(provider, identity, keyPackage);
      group.merge_pending_commit(provider);
      return Promise.resolve({ commit: copy(commit), welcome: copy(welcome) });
    },
    process: cannot,
    send: (data) => Promise.resolve(copy(group.create_message(provider, identity, data))),
    open,
    openAll: (messages) => openOneByOne(open, messages),
    groupInfo: cannot,
    encode: cannot,
    decode: cannot,
  };
}

function newHeld(number: number): Held {
  const provider = new mls.Provider();
  return { provider, identity: new mls.Identity(provider, identityOf(number)) };
}

export const openMlsWasm: Library = {
  name: "openmls-wasm 0.1.0",
  forks: false,
  steps: ["key package", "found", "message"],
  newClient: async (number) => {
    await load();
    const held = newHeld(number);
    const newKeyPackage = (): Promise<Bytes> => {
      const stand = new Uint8Array(0);
      keyPackages.set(stand, held.identity.key_package(held.provider));
      return Promise.resolve(stand);
    };
    return {
      keyPackage: await newKeyPackage(),
      newKeyPackage,
      found: () =>
        Promise.resolve(memberOf(mls.Group.create_new(held.provider, held.identity, crypto.randomUUID()), held)),
      join: cannot,
      joinExternally: cannot,
    };
  },
  newPair: async () => {
    await load();
    const [founder, member] = [newHeld(0), newHeld(1)];
    const group = mls.Group.create_new(founder.provider, founder.identity, crypto.randomUUID());
    const keyPackage = member.identity.key_package(member.provider);
    const { welcome } = group.propose_and_commit_add(founder.provider, founder.identity, keyPackage);
    group.merge_pending_commit(founder.provider);
    const joined = mls.Group.join(member.provider, welcome, group.export_ratchet_tree());
    return { founder: memberOf(group, founder), member: memberOf(joined, member) };
  },
};

import type { Codec } from "../../src/codec/codec.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import { commit } from "../../src/framing/commit.ts";
import { ratchetTree } from "../../src/framing/group-info.ts";
import { mlsMessage } from "../../src/framing/mls-message.ts";
import { proposalBodies } from "../../src/framing/proposal.ts";
import { groupSecrets } from "../../src/framing/welcome.ts";
import type { Bytes } from "../../src/codec/bytes.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

const roundTrip =
  <T>(codec: Codec<T>) =>
  (bytes: Bytes): Bytes =>
    encode(codec, decode(codec, bytes));

const FIELDS: Readonly<Record<string, (bytes: Bytes) => Bytes>> = {
  mls_welcome: roundTrip(mlsMessage),
  mls_group_info: roundTrip(mlsMessage),
  mls_key_package: roundTrip(mlsMessage),
  ratchet_tree: roundTrip(ratchetTree),
  group_secrets: roundTrip(groupSecrets),
  add_proposal: roundTrip(proposalBodies.add),
  update_proposal: roundTrip(proposalBodies.update),
  remove_proposal: roundTrip(proposalBodies.remove),
  pre_shared_key_proposal: roundTrip(proposalBodies.psk),
  re_init_proposal: roundTrip(proposalBodies.reinit),
  external_init_proposal: roundTrip(proposalBodies.externalInit),
  group_context_extensions_proposal: roundTrip(proposalBodies.groupContextExtensions),
  commit: roundTrip(commit),
  public_message_application: roundTrip(mlsMessage),
  public_message_proposal: roundTrip(mlsMessage),
  public_message_commit: roundTrip(mlsMessage),
  private_message: roundTrip(mlsMessage),
};

export const messages: Format = {
  name: "messages",
  fields: ["mls_welcome", "private_message"],
  verify: (vector) => {
    for (const name of vector.keys()) {
      const again = FIELDS[name];
      if (again === undefined) throw new Error(`unknown field ${name}`);
      expectBytes(name, again(vector.hex(name)), vector.hex(name));
    }
    return Promise.resolve();
  },
};

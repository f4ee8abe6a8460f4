import { EMPTY, equalBytes } from "../../src/codec/bytes.ts";
import { decode, encode } from "../../src/codec/codec.ts";
import { decryptWithLabel, makeKeyPackageRef } from "../../src/crypto/labels.ts";
import { groupInfo, verifyGroupInfoSignature } from "../../src/framing/group-info.ts";
import { decodeMessageOf } from "../../src/framing/mls-message.ts";
import { groupSecrets } from "../../src/framing/welcome.ts";
import { keyPackage as keyPackageCodec } from "../../src/framing/key-package.ts";
import { computeEpochSecrets, computeWelcomeKey } from "../../src/schedule/key-schedule.ts";
import { computePskSecret } from "../../src/schedule/psk.ts";
import { computeConfirmationTag } from "../../src/schedule/transcript-hash.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

export const welcome: Format = {
  name: "welcome",
  fields: ["init_priv", "signer_pub"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const { keyPackage } = decodeMessageOf("mls_key_package", vector.hex("key_package"));
    const { welcome: message } = decodeMessageOf("mls_welcome", vector.hex("welcome"));
    const ref = makeKeyPackageRef(suite, encode(keyPackageCodec, keyPackage));
    const entry = message.secrets.find(({ newMember }) => equalBytes(newMember, ref));
    if (entry === undefined) throw new Error("the Welcome has no entry for the key package");
    const plaintext = await decryptWithLabel(suite, {
      keys: { publicKey: keyPackage.initKey, privateKey: vector.hex("init_priv") },
      label: "Welcome",
      context: message.encryptedGroupInfo,
      sealed: entry.encryptedGroupSecrets,
    });
    const { joinerSecret } = decode(groupSecrets, plaintext);
    const pskSecret = computePskSecret(suite, []);
    const { key, nonce } = computeWelcomeKey(suite, joinerSecret, pskSecret);
    const info = decode(groupInfo, await suite.aead.open(key, nonce, EMPTY, message.encryptedGroupInfo));
    await verifyGroupInfoSignature(suite, info, vector.hex("signer_pub"));
    const { groupContext: context } = info;
    const { confirmationKey } = computeEpochSecrets(suite, { joinerSecret, pskSecret, context });
    const tag = computeConfirmationTag(suite, confirmationKey, context.confirmedTranscriptHash);
    expectBytes("confirmation_tag", tag, info.confirmationTag);
  },
};

import {
  decryptWithLabel,
  deriveSecret,
  encryptWithLabel,
  refHash,
  signWithLabel,
  verifyWithLabel,
} from "../../src/crypto/labels.ts";
import { encode, uint32 } from "../../src/codec/codec.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

export const cryptoBasics: Format = {
  name: "crypto-basics",
  fields: ["ref_hash", "derive_tree_secret"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));

    const ref = vector.object("ref_hash");
    expectBytes("ref_hash", refHash(suite, ref.text("label"), ref.hex("value")), ref.hex("out"));

    const expand = vector.object("expand_with_label");
    const length = expand.number("length");
    const expanded = suite.hash.expandWithLabel(
      expand.hex("secret"),
      expand.text("label"),
      expand.hex("context"),
      length,
    );
    expectBytes("expand_with_label", expanded, expand.hex("out"));

    const derive = vector.object("derive_secret");
    expectBytes("derive_secret", deriveSecret(suite, derive.hex("secret"), derive.text("label")), derive.hex("out"));

    const tree = vector.object("derive_tree_secret");
    const generation = encode(uint32, tree.number("generation"));
    const derived = suite.hash.expandWithLabel(
      tree.hex("secret"),
      tree.text("label"),
      generation,
      tree.number("length"),
    );
    expectBytes("derive_tree_secret", derived, tree.hex("out"));

    const sign = vector.object("sign_with_label");
    const signed = { publicKey: sign.hex("pub"), label: sign.text("label"), content: sign.hex("content") };
    await verifyWithLabel(suite, { ...signed, signature: sign.hex("signature") });
    const signer = await suite.signature.importSigner(sign.privateKey("priv", suite.signature.privateKeyLength));
    expectBytes("signature public key", signer.publicKey, sign.hex("pub"));
    await verifyWithLabel(suite, { ...signed, signature: await signWithLabel(signer, signed.label, signed.content) });

    const encrypt = vector.object("encrypt_with_label");
    const keys = { publicKey: encrypt.hex("pub"), privateKey: encrypt.privateKey("priv", suite.hpke.Nsk) };
    const labelled = { label: encrypt.text("label"), context: encrypt.hex("context") };
    const plaintext = encrypt.hex("plaintext");
    const given = { kemOutput: encrypt.hex("kem_output"), ciphertext: encrypt.hex("ciphertext") };
    expectBytes("decrypt", await decryptWithLabel(suite, { ...labelled, keys, sealed: given }), plaintext);
    const sealed = await encryptWithLabel(suite, labelled.label, labelled.context)(keys.publicKey, plaintext);
    expectBytes("encrypt and decrypt", await decryptWithLabel(suite, { ...labelled, keys, sealed }), plaintext);
  },
};

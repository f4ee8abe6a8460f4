/** A suite in which every encryption can be seen, those of messages too. */
import type { Bytes } from "../../src/codec/bytes.ts";
import type { CipherSuite } from "../../src/crypto/cipher-suite.ts";
import { stepwiseMessages } from "../../src/crypto/message-protection.ts";

/** `watch` sees key and nonce before they are used; what it throws, the encryption rejects with. */
export function watchingSeals(suite: CipherSuite, watch: (key: Bytes, nonce: Bytes) => unknown): CipherSuite {
  const aead: CipherSuite["aead"] = {
    ...suite.aead,
    seal: async (key, nonce, aad, plaintext) => {
      watch(key, nonce);
      return suite.aead.seal(key, nonce, aad, plaintext);
    },
  };
  return { ...suite, aead, messages: stepwiseMessages({ hash: suite.hash, aead }) };
}

import type { PreSharedKey } from "../../src/schedule/psk.ts";
import { computePskSecret } from "../../src/schedule/psk.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

export const pskSecret: Format = {
  name: "psk_secret",
  fields: ["psks", "psk_secret"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const psks = vector.objects("psks").map((psk): PreSharedKey => ({
      id: { pskType: "external", pskId: psk.hex("psk_id"), pskNonce: psk.hex("psk_nonce") },
      psk: psk.hex("psk"),
    }));
    expectBytes("psk_secret", computePskSecret(suite, psks), vector.hex("psk_secret"));
  },
};

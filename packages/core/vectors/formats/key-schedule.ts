import { encode } from "../../src/codec/codec.ts";
import type { GroupContext } from "../../src/schedule/group-context.ts";
import { groupContext } from "../../src/schedule/group-context.ts";
import {
  computeEpochSecrets,
  computeJoinerSecret,
  computeWelcomeSecret,
  exportSecret,
} from "../../src/schedule/key-schedule.ts";
import { MLS10 } from "../../src/extensions/capabilities.ts";
import { fromHex } from "../../src/codec/bytes.ts";
import type { Format } from "../case.ts";
import { expectBytes } from "../case.ts";

export const keySchedule: Format = {
  name: "key-schedule",
  fields: ["initial_init_secret", "epochs"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    let initSecret = vector.hex("initial_init_secret");
    for (const [i, epoch] of vector.objects("epochs").entries()) {
      const context: GroupContext = {
        version: MLS10,
        cipherSuite: suite.id,
        groupId: vector.hex("group_id"),
        epoch: BigInt(i),
        treeHash: epoch.hex("tree_hash"),
        confirmedTranscriptHash: epoch.hex("confirmed_transcript_hash"),
        extensions: [],
      };
      expectBytes("group_context", encode(groupContext, context), epoch.hex("group_context"));
      const joinerSecret = computeJoinerSecret(suite, {
        initSecret,
        commitSecret: epoch.hex("commit_secret"),
        context,
      });
      expectBytes("joiner_secret", joinerSecret, epoch.hex("joiner_secret"));
      const pskSecret = epoch.hex("psk_secret");
      expectBytes("welcome_secret", computeWelcomeSecret(suite, joinerSecret, pskSecret), epoch.hex("welcome_secret"));
      const secrets = computeEpochSecrets(suite, { joinerSecret, pskSecret, context });
      const expected = {
        init_secret: secrets.initSecret,
        sender_data_secret: secrets.senderDataSecret,
        encryption_secret: secrets.encryptionSecret,
        exporter_secret: secrets.exporterSecret,
        epoch_authenticator: secrets.epochAuthenticator,
        external_secret: secrets.externalSecret,
        confirmation_key: secrets.confirmationKey,
        membership_key: secrets.membershipKey,
        resumption_psk: secrets.resumptionPsk,
      };
      for (const [name, value] of Object.entries(expected)) expectBytes(name, value, epoch.hex(name));
      const { publicKey } = await suite.hpke.deriveKeyPair(secrets.externalSecret);
      expectBytes("external_pub", publicKey, epoch.hex("external_pub"));
      const exporter = epoch.object("exporter");
      const exported = exportSecret(suite, secrets.exporterSecret, {
        label: exporter.text("label"),
        context: fromHex(exporter.text("context")),
        length: exporter.number("length"),
      });
      expectBytes("exporter", exported, exporter.hex("secret"));
      ({ initSecret } = secrets);
    }
  },
};

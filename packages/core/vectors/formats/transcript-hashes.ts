import { decode } from "../../src/codec/codec.ts";
import { authenticatedContent, confirmedTranscriptHashInput } from "../../src/framing/framed-content.ts";
import {
  computeConfirmationTag,
  confirmedTranscriptHash,
  interimTranscriptHash,
  verifyConfirmationTag,
} from "../../src/schedule/transcript-hash.ts";
import type { Format } from "../case.ts";
import { expectBytes, expectEqual } from "../case.ts";

export const transcriptHashes: Format = {
  name: "transcript-hashes",
  fields: ["interim_transcript_hash_before", "authenticated_content"],
  verify: async (vector, suites) => {
    const suite = await suites(vector.number("cipher_suite"));
    const content = decode(authenticatedContent, vector.hex("authenticated_content"));
    expectEqual("content type", content.content.content.contentType, "commit");
    const confirmed = confirmedTranscriptHash(
      suite,
      vector.hex("interim_transcript_hash_before"),
      confirmedTranscriptHashInput(content),
    );
    expectBytes("confirmed", confirmed, vector.hex("confirmed_transcript_hash_after"));
    const tag = computeConfirmationTag(suite, vector.hex("confirmation_key"), confirmed);
    verifyConfirmationTag(tag, content.auth.confirmationTag, "R-6.1-3");
    expectBytes("interim", interimTranscriptHash(suite, confirmed, tag), vector.hex("interim_transcript_hash_after"));
  },
};

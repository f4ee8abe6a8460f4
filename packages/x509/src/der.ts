/** Strict DER (X.690 §10) by way of a lenient parser. */
import { AsnParser, AsnSerializer } from "@peculiar/asn1-schema";
import { type Bytes, equalBytes } from "@coppice/core";

export const toDer = (value: unknown): Bytes => new Uint8Array(AsnSerializer.serialize(value));

/**
 * Parses DER into a type of the library. The library reads BER, skips what follows, and leaves out elements that it does not
 * expect; DER has one encoding for each value, so what is not written again byte for byte is refused.
 */
export function parseDer<T>(bytes: Bytes, type: new () => T): T {
  const value = AsnParser.parse(bytes, type);
  if (!equalBytes(toDer(value), bytes)) throw new SyntaxError("not in DER");
  return value;
}

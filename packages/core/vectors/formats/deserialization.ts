import { Reader } from "../../src/codec/reader.ts";
import type { Format } from "../case.ts";
import { expectEqual } from "../case.ts";

export const deserialization: Format = {
  name: "deserialization",
  fields: ["vlbytes_header", "length"],
  verify: (vector) => {
    const reader = new Reader(vector.hex("vlbytes_header"));
    expectEqual("length", reader.vectorLength(), vector.number("length"));
    reader.finish();
    return Promise.resolve();
  },
};

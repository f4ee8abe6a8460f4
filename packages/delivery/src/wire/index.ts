/** The wire format between `connectDelivery` and a server: for server implementations. */
export * from "./call.ts";
export * from "./calls.ts";
export { decode, encode, type Bytes, type Codec } from "./codec.ts";
export * from "./events.ts";
export { MAX_KEY_BYTES, MAX_SIGNATURE_BYTES } from "./fields.ts";
export * from "./failure.ts";
export * from "./sign-in.ts";
export { deliveryError } from "../errors.ts";

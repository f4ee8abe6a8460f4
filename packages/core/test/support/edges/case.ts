/** Keys and signatures at the edge of what is valid: on every platform the same ones have to be. */
import type { Bytes } from "../../../src/codec/bytes.ts";

export interface SignatureEdge {
  /** Of a suite with this signature scheme. */
  readonly suite: number;
  readonly title: string;
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
  readonly valid: boolean;
}

export interface KeyEdge {
  readonly suite: number;
  readonly use: "signature" | "encryption";
  readonly title: string;
  readonly publicKey: Bytes;
  readonly valid: boolean;
}

/** `length` bytes. */
export const littleEndian = (value: bigint, length: number): Bytes =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

export const bigEndian = (value: bigint, length: number): Bytes => littleEndian(value, length).reverse();

export const toInteger = (bigEndianBytes: Uint8Array): bigint =>
  bigEndianBytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

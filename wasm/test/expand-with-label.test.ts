import { describe, expect, it } from "vitest";
import { createWasmKernel } from "../src/full.ts";
import type { HashKernel } from "../src/index.ts";
import { ascii, hex, openKernel, random, toHex } from "./support.ts";

const kernel = createWasmKernel();
const arenaSize = Number(openKernel().exports.capacity.value);

function vector(bytes: Uint8Array): Uint8Array {
  const n = bytes.length;
  if (n < 64) return Buffer.concat([Uint8Array.of(n), bytes]);
  if (n < 16384) return Buffer.concat([Uint8Array.of(0x40 | (n >> 8), n & 255), bytes]);
  return Buffer.concat([Uint8Array.of(0x80 | (n >>> 24), (n >> 16) & 255, (n >> 8) & 255, n & 255), bytes]);
}

/** The composition as RFC 9420 §8 writes it. */
function composed(hash: HashKernel, secret: Uint8Array, label: string, context: Uint8Array, length: number): string {
  const head = Uint8Array.of(length >> 8, length & 255);
  const info = Buffer.concat([head, vector(ascii("MLS 1.0 " + label)), vector(context)]);
  return toHex(hash.expand(secret, info, length));
}

describe("R-8-1 ExpandWithLabel", () => {
  // crypto-basics.json of the MLS working group.
  it.each([
    {
      suite: 1,
      hash: kernel.sha256,
      secret: "1499360a561335f4ef51d0a1b0d586900dc8007ae405b1ab79bf4207bb3d67e4",
      label: "ExpandWithLabel",
      context: "2ff8c1f9d9c1248f82e372ddb5791c771695e01882abca6a64097bd2f04c971f",
      length: 16,
      out: "c1e8eb360391526c0c64039f13e0c5b1",
    },
    {
      suite: 1,
      hash: kernel.sha256,
      secret: "1a9ce178a53f8752d2513c27efe9c85133f6c0a97f7b35ac200695024a77228e",
      label: "DeriveSecret",
      context: "",
      length: kernel.sha256.Nh,
      out: "3b08c195a246c4ad469c1d11c10e62890d8fa6b684494ff925409efdb1ff0464",
    },
    {
      suite: 4,
      hash: kernel.sha512,
      secret:
        "cf0fb7f2b30b491a94cc2ce32cfd8c46ff0725c7c82376dd4f2ca25f4242ac87fdf02b59482c646d026975a7f7076111875f0b377dc5ca437799735e78d13464",
      label: "ExpandWithLabel",
      context:
        "5837a1b11e1feaba3d403c151e78d233bb4a914b6f7b207607c2c824288cbcc729922d551e829d1727e6875b81b1aad65b7b8398040c09bdc1228d2fab9263f2",
      length: 32,
      out: "0422601b4c3a04ec67e1196eb1f0549d53f0639509309d84f88c265ebc383d18",
    },
    {
      suite: 4,
      hash: kernel.sha512,
      secret:
        "92c5ae58c8aeed565d772847a41f4901a999572ae53740b56a2a3df94c62e57c60f1107c88c70d8aa902049d5f33d36cc4d1f7c233b1406947deb6c1fb243007",
      label: "DeriveSecret",
      context: "",
      length: kernel.sha512.Nh,
      out: "ffed9b67c5b8388af9ba51bfa983400dc6cee5c1d79b4cc45a400611075139b842642f1a8d4d92ed3aa9f7497d8a3ce5516552230a883c57dd2bb277ef1e571c",
    },
    {
      suite: 7,
      hash: kernel.sha384,
      secret: "39bb10928726fffb2b9b61fa4b07fed7ef5e554021a83c9d3af3aac9a8abab3db0bae67df71e8b3dd7ab3cf17dc783ce",
      label: "ExpandWithLabel",
      context: "2588d6b1ca306a9fc348a8b1b4de45c7111c4fb86ee362086ecf3f8f18f0b869df492fc5d30af6dd2d53e7b1eddf7d2f",
      length: 32,
      out: "a2b96cd5edc41d0d56ce7a2282ce52aa792c7990483a52cbb044ee3f1f14f159",
    },
    {
      suite: 7,
      hash: kernel.sha384,
      secret: "ee9426e58f77d9e2c16a18a8758097143645c523a1e3050c7e61c54b6703c721d3747961660a163230a03515f0ca0746",
      label: "DeriveSecret",
      context: "",
      length: kernel.sha384.Nh,
      out: "ad64a2748a2894e725825fbb97d8e9e11b30c7df09056b825a9328d7dd95a35436c326929b964afb181c747c1e95c3da",
    },
  ])("known answer of suite $suite, $label", ({ hash, secret, label, context, length, out }) => {
    expect(toHex(hash.expandWithLabel(hex(secret), label, hex(context), length))).toBe(out);
  });

  it.each([kernel.sha256, kernel.sha384, kernel.sha512])("$name is the composition of §8", (hash) => {
    const { bytes, below } = random(0x1abe1);
    // Around every step of the variable-length integers, and of the arena.
    const contexts = [
      0,
      1,
      63,
      64,
      300,
      16383,
      16384,
      arenaSize - hash.Nh - 7,
      arenaSize - hash.Nh - 6,
      arenaSize,
      200_000,
    ];
    for (const contextLength of contexts) {
      for (const label of ["", "secret", "l".repeat(55), "l".repeat(56), "é¼ 😀", "\ud800"]) {
        const [secret, context] = [bytes(hash.Nh), bytes(Math.min(contextLength, 500))];
        const wide = new Uint8Array(contextLength);
        wide.set(context);
        const length = below(3 * hash.Nh);
        expect(toHex(hash.expandWithLabel(secret, label, wide, length))).toBe(
          composed(hash, secret, label, wide, length),
        );
      }
    }
    const long = "x".repeat(20_000);
    for (const secretLength of [0, 1, 64, 65, 128, 129, 1000]) {
      const secret = bytes(secretLength);
      for (const label of ["key", long, long.repeat(10)]) {
        expect(toHex(hash.expandWithLabel(secret, label, secret, 40))).toBe(composed(hash, secret, label, secret, 40));
      }
    }
  });
});

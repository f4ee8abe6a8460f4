/** What is timed, and the two classes of inputs of each: a secret that is always the same, and one that never is. */
import type { AeadKernel, HashKernel, WasmKernel } from "../../src/index.ts";

export interface Target<Kernel = WasmKernel> {
  readonly name: string;
  /** Arguments of input `index` of a class; those of all inputs have the same lengths. */
  readonly make: (kernel: Kernel, cls: "first" | "second", index: number) => Uint8Array[];
  readonly run: (kernel: Kernel, args: readonly Uint8Array[]) => unknown;
}

type AeadName = "aes128gcm" | "aes256gcm" | "chacha20poly1305";

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const secret = (cls: "first" | "second", length: number): Uint8Array =>
  cls === "first" ? new Uint8Array(length) : random(length);

/** Sender data of MLS have this order of size. */
const LENGTH = 20;
const NONCE = new Uint8Array(12).fill(7);
const AAD = new Uint8Array(20).fill(9);
const none = new Uint8Array(0);

const sealWith = (aead: AeadKernel, [key = none, data = none]: readonly Uint8Array[]): Uint8Array =>
  aead.seal(key, NONCE, AAD, data);

function aeadTargets(name: AeadName): readonly Target[] {
  const Nk = name === "aes128gcm" ? 16 : 32;
  const open: Target["run"] = ({ [name]: aead }, [key = none, data = none]) => aead.open(key, NONCE, AAD, data);
  return [
    {
      name: `${name} seal: key`,
      make: (_kernel, cls) => [secret(cls, Nk), new Uint8Array(LENGTH)],
      run: ({ [name]: aead }, args) => sealWith(aead, args),
    },
    {
      name: `${name} seal: plaintext`,
      make: (_kernel, cls) => [new Uint8Array(Nk), secret(cls, LENGTH)],
      run: ({ [name]: aead }, args) => sealWith(aead, args),
    },
    {
      name: `${name} open: key and plaintext`,
      make: ({ [name]: aead }, cls) => {
        const key = secret(cls, Nk);
        return [key, sealWith(aead, [key, secret(cls, LENGTH)])];
      },
      run: open,
    },
    {
      // A forger finds the tag byte by byte if it shows how many bytes are right.
      name: `${name} tag comparison: first or last byte wrong`,
      make: ({ [name]: aead }, cls) => {
        const key = new Uint8Array(Nk);
        const data = sealWith(aead, [key, none]);
        const at = cls === "first" ? 0 : data.length - 1;
        data[at] = (data[at] ?? 0) ^ 0xff;
        return [key, data];
      },
      run: open,
    },
  ];
}

function hmacTargets(name: "sha256" | "sha512"): readonly Target[] {
  const run = ({ [name]: hash }: WasmKernel, [key = none, data = none]: readonly Uint8Array[]): Uint8Array =>
    (hash satisfies HashKernel).hmac(key, data);
  return [
    { name: `HMAC ${name}: key`, make: (_kernel, cls) => [secret(cls, 32), new Uint8Array(40)], run },
    { name: `HMAC ${name}: data`, make: (_kernel, cls) => [new Uint8Array(32), secret(cls, 40)], run },
  ];
}

export const TARGETS: readonly Target[] = [
  ...aeadTargets("aes128gcm"),
  ...aeadTargets("aes256gcm"),
  ...aeadTargets("chacha20poly1305"),
  ...hmacTargets("sha256"),
  ...hmacTargets("sha512"),
];

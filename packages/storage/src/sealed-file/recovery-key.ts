/** Recovery keys: 32 random bytes as a person can write them down, with a check of what was mistyped. */
import { storeError } from "../errors.ts";

/** Crockford's base 32: without I, L, O and U. */
const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const KEY_BYTES = 32;
/** Digits of the key, of the check, and of a group. */
const KEY_DIGITS = 52;
const CHECK_DIGITS = 3;
const GROUP = 5;

/** 55 digits of Crockford's base 32 in groups of 5: 256 random bits and a check of 15. */
export async function createRecoveryKey(): Promise<string> {
  const key = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  const digits = toDigits(key) + (await checkOf(key));
  key.fill(0);
  return (digits.match(new RegExp(`.{${GROUP}}`, "g")) ?? []).join("-");
}

/** The key that was written down, in whatever case and spacing. `ERR_STORE_WRONG_KEY` for one that was mistyped. */
export async function parseRecoveryKey(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const digits = text.toUpperCase().replace(/[\s-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  const key = fromDigits(digits.slice(0, KEY_DIGITS));
  if (
    key === undefined ||
    digits.length !== KEY_DIGITS + CHECK_DIGITS ||
    digits.slice(KEY_DIGITS) !== (await checkOf(key))
  ) {
    throw storeError("ERR_STORE_WRONG_KEY", "This is no recovery key: look for a digit that was mistyped");
  }
  return key;
}

function toDigits(key: Uint8Array): string {
  let value = key.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let digits = "";
  for (let at = 0; at < KEY_DIGITS; at++) {
    digits = DIGITS.charAt(Number(value & 31n)) + digits;
    value >>= 5n;
  }
  return digits;
}

function fromDigits(digits: string): Uint8Array<ArrayBuffer> | undefined {
  let value = 0n;
  for (const digit of digits) {
    const at = DIGITS.indexOf(digit);
    if (at === -1) return undefined;
    value = (value << 5n) | BigInt(at);
  }
  if (value >> BigInt(8 * KEY_BYTES) > 0n) return undefined;
  const key = new Uint8Array(KEY_BYTES);
  for (let at = KEY_BYTES - 1; at >= 0; at--) {
    key[at] = Number(value & 255n);
    value >>= 8n;
  }
  return key;
}

async function checkOf(key: Uint8Array<ArrayBuffer>): Promise<string> {
  const [first = 0, second = 0] = new Uint8Array(await crypto.subtle.digest("SHA-256", key));
  const bits = (first << 8) | second;
  return [10, 5, 0].map((shift) => DIGITS.charAt((bits >> shift) & 31)).join("");
}

/**
 * Challenges for signing in. A nonce carries its own expiry and a MAC over whom it is for, so that asking for one costs
 * the server no memory; only the nonces of successful sign-ins are remembered, until they expire.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Time } from "@coppice/kit";
import {
  deliveryError,
  encode,
  requestChallenge,
  verifySignIn,
  type Bytes,
  type Claimant,
  type SignInRequest,
} from "@coppice/delivery/wire";

const EXPIRY_BYTES = 8;
const RANDOM_BYTES = 16;
const MAC_BYTES = 32;

/** Sign-ins that can be remembered at once; a multiple of what rate limits let through. */
const MAX_USED = 100_000;

const refused = (message: string): Error => deliveryError("ERR_DS_SIGN_IN", message);

export class Challenges {
  readonly #key = randomBytes(32);
  readonly #time: Time;
  readonly #lifetime: number;
  /** From nonce to expiry, in the order of use. */
  readonly #used = new Map<string, number>();

  constructor(options: { readonly lifetime: number; readonly time: Time }) {
    this.#lifetime = options.lifetime;
    this.#time = options.time;
  }

  /** A nonce for this client and key: expiry by the monotonic clock, random bytes, MAC. */
  issue(claimant: Claimant): Bytes {
    const head = Buffer.alloc(EXPIRY_BYTES + RANDOM_BYTES);
    head.writeBigUInt64BE(BigInt(Math.ceil(this.#time.elapsed() + this.#lifetime)));
    randomBytes(RANDOM_BYTES).copy(head, EXPIRY_BYTES);
    return new Uint8Array(Buffer.concat([head, this.#mac(head, claimant)]));
  }

  /**
   * Checks an answer; `ERR_DS_SIGN_IN` unless the nonce is ours, fresh and unused, `audience` is one of the server's
   * origins and the signature is right.
   */
  async redeem(request: SignInRequest, audiences: ReadonlySet<string>): Promise<void> {
    const { audience, nonce, signature } = request;
    if (!audiences.has(audience)) {
      throw refused("The server is not known under the origin that the client uses: start it with --origin");
    }
    const expiry = this.#expiry(nonce, request);
    if (expiry <= this.#time.elapsed()) throw refused("The challenge has expired");
    if (!(await verifySignIn(request, signature))) throw refused("The challenge was not answered correctly");
    // From here to the end nothing waits: of two identical answers at once, the second finds the first.
    this.#forgetExpired();
    const key = Buffer.from(nonce).toString("latin1");
    if (this.#used.has(key)) throw refused("The challenge was answered before");
    if (this.#used.size >= MAX_USED) {
      throw deliveryError("ERR_DS_RATE_LIMITED", "Too many sign-ins: try again later", { detail: { retryAfter: 60 } });
    }
    this.#used.set(key, expiry);
  }

  #expiry(nonce: Uint8Array, claimant: Claimant): number {
    const bytes = Buffer.from(nonce);
    const head = bytes.subarray(0, EXPIRY_BYTES + RANDOM_BYTES);
    const mac = bytes.subarray(EXPIRY_BYTES + RANDOM_BYTES);
    if (mac.length !== MAC_BYTES || !timingSafeEqual(mac, this.#mac(head, claimant))) {
      throw refused("The challenge is not from this server, or for someone else");
    }
    return Number(head.readBigUInt64BE());
  }

  /** The fixed length of the head keeps the concatenation unambiguous. */
  #mac(head: Uint8Array, { client, suite, publicKey }: Claimant): Buffer {
    const claimant = encode(requestChallenge.request, { client, suite, publicKey });
    return createHmac("sha256", this.#key).update(head).update(claimant).digest();
  }

  #forgetExpired(): void {
    const now = this.#time.elapsed();
    for (const [key, expiry] of this.#used) {
      if (expiry > now) return;
      this.#used.delete(key);
    }
  }
}

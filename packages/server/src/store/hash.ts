/** SHA-256, for recognising content and for keeping tokens unreadable. */
import { createHash } from "node:crypto";

export const sha256 = (content: Uint8Array | string): Uint8Array => createHash("sha256").update(content).digest();

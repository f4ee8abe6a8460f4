/** Welcome messages (RFC 9420 §12.4.3.1): wire types. */
import type { Bytes } from "../codec/bytes.ts";
import { type Codec, opaque, optional, struct, uint16, vector } from "../codec/codec.ts";
import { type HpkeCiphertext, hpkeCiphertext } from "../crypto/hpke.ts";
import { type PreSharedKeyId, preSharedKeyId } from "../schedule/psk.ts";

/** `struct { opaque joiner_secret<V>; optional<PathSecret> path_secret; PreSharedKeyID psks<V>; } GroupSecrets;` */
export interface GroupSecrets {
  /** Secret. */
  readonly joinerSecret: Bytes;
  /** Secret of the lowest common ancestor of committer and joiner; absent if the Commit had no path. */
  readonly pathSecret: { readonly pathSecret: Bytes } | undefined;
  readonly psks: readonly PreSharedKeyId[];
}

export const groupSecrets: Codec<GroupSecrets> = struct({
  joinerSecret: opaque,
  pathSecret: optional(struct({ pathSecret: opaque })),
  psks: vector(preSharedKeyId),
});

/** `struct { KeyPackageRef new_member; HPKECiphertext encrypted_group_secrets; } EncryptedGroupSecrets;` */
export interface EncryptedGroupSecrets {
  readonly newMember: Bytes;
  readonly encryptedGroupSecrets: HpkeCiphertext;
}

/** `struct { CipherSuite cipher_suite; EncryptedGroupSecrets secrets<V>; opaque encrypted_group_info<V>; } Welcome;` */
export interface Welcome {
  readonly cipherSuite: number;
  readonly secrets: readonly EncryptedGroupSecrets[];
  readonly encryptedGroupInfo: Bytes;
}

export const welcome: Codec<Welcome> = struct({
  cipherSuite: uint16,
  secrets: vector(struct({ newMember: opaque, encryptedGroupSecrets: hpkeCiphertext })),
  encryptedGroupInfo: opaque,
});

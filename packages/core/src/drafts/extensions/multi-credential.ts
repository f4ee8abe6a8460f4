/** Multi-credentials (draft-ietf-mls-extensions-10 §6.5): several credentials, each bound to the signature key of one leaf. */
import { copyBytes } from "@coppice/kit";
import type { Bytes } from "../../codec/bytes.ts";
import { type Codec, type Given, copyOf, decodeReceived, encode, opaque, struct, uint16 } from "../../codec/codec.ts";
import type { CipherSuite } from "../../crypto/cipher-suite.ts";
import { signWithLabel, verifyWithLabel } from "../../crypto/labels.ts";
import type { Signer } from "../../crypto/signature.ts";
import { CoppiceError } from "../../errors.ts";
import type { AuthenticationService } from "../../identity/authentication.ts";
import {
  type BoundCredentials,
  type Credential,
  credential as wireCredential,
  DraftCredentialType,
} from "../../identity/credential.ts";
import type { LeafNode } from "../../tree/leaf-node.ts";
import type { RatchetTree } from "../../tree/ratchet-tree.ts";

/**
 * ```tls
 * struct {
 *   CipherSuite cipher_suite; Credential credential; SignaturePublicKey credential_key; opaque signature<V>;
 * } CredentialBinding;
 * ```
 */
export interface CredentialBinding {
  /** Of the credential's key; not always the group's. */
  readonly cipherSuite: number;
  readonly credential: Credential;
  readonly credentialKey: Bytes;
  /** By the credential's key, over the leaf's `signature_key` among others. */
  readonly signature: Bytes;
}

const credentialBinding: Codec<CredentialBinding> = struct({
  cipherSuite: uint16,
  credential: wireCredential,
  credentialKey: opaque,
  signature: opaque,
});

/** Within the vector that the credential's codec has read: without a header of its own. */
const bindingsCodec: Codec<{ readonly bindings: readonly CredentialBinding[] }> = {
  encode: (writer, { bindings }) => {
    for (const binding of bindings) credentialBinding.encode(writer, binding);
  },
  decode: (reader) => {
    const bindings: CredentialBinding[] = [];
    while (reader.remaining > 0) bindings.push(credentialBinding.decode(reader));
    return { bindings };
  },
};

const bindingTbs: Codec<Omit<CredentialBinding, "signature"> & { readonly signatureKey: Bytes }> = struct({
  cipherSuite: uint16,
  credential: wireCredential,
  credentialKey: opaque,
  signatureKey: opaque,
});

const LABEL = "CredentialBindingTBS";

const invalid = (message: string, requirement: string, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_CREDENTIAL", message, { requirement, cause });

/**
 * Binds a credential to the signature key of a leaf: `signer` holds the credential's own key, of this suite.
 *
 * @example
 * ```ts run
 * import { basicCredential } from "@coppice/core";
 * import { bindCredential, multiCredential, readBindings } from "@coppice/core/drafts/extensions";
 * import { alice, makePerson, suite } from "./example-group.ts"; // docs/examples
 *
 * const atWork = await makePerson("alice@work.example");
 * const binding = await bindCredential(suite, {
 *   ...{ credential: atWork.credential, signer: atWork.signer, signatureKey: alice.signer.publicKey },
 * });
 * const credential = multiCredential([binding]); // for Alice's key packages and groups
 * console.assert(readBindings(credential).length === 1);
 * ```
 */
export async function bindCredential(
  suite: CipherSuite,
  {
    credential,
    signer,
    signatureKey,
  }: { readonly credential: Given<Credential>; readonly signer: Signer; readonly signatureKey: Uint8Array },
): Promise<CredentialBinding> {
  const content = {
    cipherSuite: suite.id,
    credential: copyOf(wireCredential, credential),
    credentialKey: copyBytes(signer.publicKey, "publicKey"),
  };
  const tbs = encode(bindingTbs, { ...content, signatureKey: copyBytes(signatureKey, "signatureKey") });
  return { ...content, signature: await signWithLabel(signer, LABEL, tbs) };
}

/** A credential of type `multi`: all members have to support all of its bindings. `RangeError` for none (X-6.5-1). */
export const multiCredential = (bindings: readonly CredentialBinding[]): BoundCredentials =>
  bound(DraftCredentialType.multi, bindings);

/**
 * A credential of type `weak-multi`: every member has to support one of its bindings, and judges those alone that it supports. It is
 * as good as the worst of them. `RangeError` for none (X-6.5-1).
 */
export const weakMultiCredential = (bindings: readonly CredentialBinding[]): BoundCredentials =>
  bound(DraftCredentialType.weakMulti, bindings);

function bound(
  credentialType: BoundCredentials["credentialType"],
  bindings: readonly CredentialBinding[],
): BoundCredentials {
  if (bindings.length === 0) throw new RangeError("A multi-credential has at least one binding");
  return { credentialType, bindings: encode(bindingsCodec, { bindings }) };
}

const known = new WeakMap<Bytes, readonly CredentialBinding[]>();

/**
 * The bindings of a multi-credential, not yet verified. `ERR_MLS_CREDENTIAL` for none (X-6.5-1), or for one that is a multi-credential
 * itself (X-6.5-2); `ERR_MLS_DECODE`.
 */
export function readBindings({ bindings: bytes }: BoundCredentials): readonly CredentialBinding[] {
  const read = known.get(bytes) ?? decodeReceived(bindingsCodec, bytes).bindings;
  if (read.length === 0) throw invalid("A multi-credential binds nothing", "X-6.5-1");
  if (read.some(({ credential }) => isBound(credential))) {
    throw invalid("A multi-credential within a multi-credential", "X-6.5-2");
  }
  known.set(bytes, read);
  return read;
}

const isBound = (credential: Credential): credential is BoundCredentials =>
  credential.credentialType === DraftCredentialType.multi ||
  credential.credentialType === DraftCredentialType.weakMulti;

/** What this client supports of bindings; what it lists in its capabilities. */
export interface SupportedBindings {
  readonly credentialTypes: readonly number[];
  /** Suites by their ids. A binding of another one is not supported. */
  readonly suites: readonly CipherSuite[];
}

/**
 * An authentication service that judges multi-credentials: it verifies that each binding is by its own key over the leaf's, and puts
 * the credential of each to `inner`, with that key. Other credentials go to `inner` as they are. `ERR_MLS_CREDENTIAL` with the cause:
 * X-6.5-3 for a signature, X-6.5-4 for a binding of a `multi` that this client does not support, X-6.5-5 for a `weak-multi` of which it
 * supports none.
 */
export function withMultiCredentials(
  inner: AuthenticationService,
  supported: SupportedBindings,
): AuthenticationService {
  const suites = new Map(supported.suites.map((suite) => [suite.id, suite]));
  return {
    ...inner,
    credentialTypes: [...(inner.credentialTypes ?? []), DraftCredentialType.multi, DraftCredentialType.weakMulti],
    validate: async (request) => {
      const { credential, signatureKey, previous } = request;
      if (!isBound(credential)) {
        await inner.validate(request);
        return;
      }
      let judged = 0;
      for (const binding of readBindings(credential)) {
        const suite = suites.get(binding.cipherSuite);
        if (suite === undefined || !supported.credentialTypes.includes(binding.credential.credentialType)) {
          if (credential.credentialType === DraftCredentialType.weakMulti) continue;
          throw invalid("A binding is of a suite or credential type that is not supported", "X-6.5-4");
        }
        await verifyBinding(suite, binding, signatureKey);
        const { credential: one, credentialKey } = binding;
        await inner.validate({
          ...request,
          credential: one,
          signatureKey: credentialKey,
          previous: formerOf(previous, one),
        });
        judged++;
      }
      if (judged === 0) throw invalid("No binding is of a suite and credential type that are supported", "X-6.5-5");
    },
  };
}

type Previous = Parameters<AuthenticationService["validate"]>[0]["previous"];

/** What a binding takes the place of: that of the same type in the credential before, else all of it. */
function formerOf(previous: Previous, { credentialType }: Credential): Previous {
  if (previous === undefined || !isBound(previous.credential)) return previous;
  const same = readBindings(previous.credential).find(({ credential }) => credential.credentialType === credentialType);
  return same && { credential: same.credential, signatureKey: same.credentialKey };
}

async function verifyBinding(
  suite: CipherSuite,
  { signature, ...content }: CredentialBinding,
  signatureKey: Bytes,
): Promise<void> {
  const signed = encode(bindingTbs, { ...content, signatureKey });
  try {
    await verifyWithLabel(suite, { publicKey: content.credentialKey, label: LABEL, content: signed, signature });
  } catch (cause) {
    throw invalid("A credential is not bound to the key of this leaf", "X-6.5-3", cause);
  }
}

/**
 * Refuses a group in which somebody does not support the bindings of a member: all of a `multi` (X-6.5-4), one of a `weak-multi`
 * (X-6.5-5). `ERR_MLS_CAPABILITIES`.
 */
export function checkBindings(tree: RatchetTree): void {
  const { multi, weakMulti } = DraftCredentialType;
  if (!tree.summary.credentialTypes.some((type) => type === multi || type === weakMulti)) return;
  const members = [...tree.members()].map(([, leaf]) => leaf);
  for (const { credential } of members) {
    if (!isBound(credential)) continue;
    const bindings = readBindings(credential);
    const weak = credential.credentialType === DraftCredentialType.weakMulti;
    const supports = ({ capabilities }: LeafNode, binding: CredentialBinding): boolean =>
      capabilities.cipherSuites.includes(binding.cipherSuite) &&
      capabilities.credentials.includes(binding.credential.credentialType);
    for (const leaf of members) {
      const fits = weak
        ? bindings.some((binding) => supports(leaf, binding))
        : bindings.every((binding) => supports(leaf, binding));
      if (fits) continue;
      throw new CoppiceError("ERR_MLS_CAPABILITIES", "A member does not support what another one's credential binds", {
        requirement: weak ? "X-6.5-5" : "X-6.5-4",
      });
    }
  }
}

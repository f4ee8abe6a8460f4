/** Which X.509 credentials are accepted (RFC 9420 §5.3, §5.3.1): a valid one, changed in one respect. */
import { describe, expect, test, vi } from "vitest";
import type { AuthenticationService, Bytes, Credential, Identity, MlsErrorCode } from "@coppice/core";
import { basicCredential, concat, CredentialType, fromHex, getCipherSuite, isCoppiceError, utf8 } from "@coppice/core";
import type { GenuineCredential, RefusalReason, X509AuthenticationOptions } from "../src/index.ts";
import { x509Authentication } from "../src/index.ts";
import {
  Authority,
  ExtendedKeyUsageExtension,
  Extension,
  generateSigner,
  KeyUsageFlags,
  NOW,
  signAnew,
  spki,
  withInteger,
  withSignedIntegers,
} from "./support/authority.ts";
import type { CertificateChanges } from "./support/authority.ts";

const root = await Authority.root("root");
const office = await root.authority("office");
const suite1 = await getCipherSuite(1);
const alice = await generateSigner(suite1);
const alicesCertificate = await office.issue("alice", alice.publicKey);

const service = (changes: Partial<X509AuthenticationOptions> = {}): AuthenticationService =>
  x509Authentication({ trustAnchors: [root.certificate], now: () => NOW, ...changes });

const x509 = (...certificates: readonly Bytes[]): Credential => ({ credentialType: CredentialType.x509, certificates });

const identity = (credential: Credential, signatureKey = alice.signer.publicKey): Identity => ({
  credential,
  signatureKey,
});

interface Attempt {
  readonly options?: Partial<X509AuthenticationOptions>;
  readonly key?: Bytes;
  readonly previous?: Identity;
}

const judge = (credential: Credential, { options, key, previous }: Attempt = {}): Promise<void> =>
  service(options).validate({ ...identity(credential, key), moment: "add", previous });

interface Expected {
  readonly requirement: string;
  readonly reason: RefusalReason;
  readonly code?: MlsErrorCode;
  readonly certificate?: number;
}

async function expectRefused(attempt: Promise<void>, expected: Expected): Promise<void> {
  const error: unknown = await attempt.then(
    () => "accepted",
    (thrown: unknown) => thrown,
  );
  if (!isCoppiceError(error)) throw new Error(`not refused as it should be: ${String(error)}`);
  const { code, requirement, detail } = error;
  expect({ code, requirement, ...detail }).toMatchObject({ code: "ERR_MLS_CREDENTIAL", ...expected });
}

/** Alice's certificate with something changed, from an office that is as it should be. */
const changed = async (changes: CertificateChanges): Promise<Credential> =>
  x509(await office.issue("alice", alice.publicKey, changes), office.certificate);

/** Alice's certificate from an authority below the root with something changed. */
async function below(changes: CertificateChanges): Promise<Credential> {
  const other = await root.authority("other", changes);
  return x509(await other.issue("alice", alice.publicKey), other.certificate);
}

const valid = x509(alicesCertificate, office.certificate);

test("a chain up to an authority that is trusted is accepted, with the trusted one or without it", async () => {
  await judge(valid);
  await judge(x509(alicesCertificate, office.certificate, root.certificate));
  await judge(x509(await root.issue("alice", alice.publicKey)));
});

describe("the end entity's key", () => {
  test("R-5.3-2: another key than the leaf's is refused", async () => {
    const other = await generateSigner(suite1);
    await expectRefused(judge(valid, { key: other.signer.publicKey }), {
      requirement: "R-5.3-2",
      reason: "key",
      certificate: 0,
    });
    const prefix = alice.signer.publicKey.subarray(0, 31);
    await expectRefused(judge(valid, { key: prefix }), { requirement: "R-5.3-2", reason: "key" });
  });

  test("R-5.3-2: the key of an issuer in the chain does not count", async () => {
    const credential = x509(await root.issue("bob", (await generateSigner(suite1)).publicKey), root.certificate);
    await expectRefused(judge(credential), { requirement: "R-5.3-2", reason: "key" });
  });

  test.each([1, 2, 4, 5, 7])("R-5.3-2: the key is compared in suite %i", async (id) => {
    const suite = await getCipherSuite(id);
    const { signer, publicKey } = await generateSigner(suite);
    const credential = x509(await root.issue("alice", publicKey));
    await judge(credential, { key: signer.publicKey });
    const other = signer.publicKey.with(-1, (signer.publicKey.at(-1) ?? 0) ^ 1);
    await expectRefused(judge(credential, { key: other }), { requirement: "R-5.3-2", reason: "key" });
  });

  test("R-5.3-2: a compressed point is not the leaf's key", async () => {
    const { signer } = await generateSigner(await getCipherSuite(2));
    const { publicKey } = signer;
    const compressed = concat(Uint8Array.of(2 + ((publicKey.at(-1) ?? 0) & 1)), publicKey.subarray(1, 33));
    const header = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
    const credential = x509(await root.issue("alice", concat(header, compressed)));
    for (const key of [publicKey, compressed]) {
      await expectRefused(judge(credential, { key }), { requirement: "R-5.3-2", reason: "key" });
    }
  });

  test("R-5.3-2: what is no uncompressed point of the curve is no key, even if the leaf has it too", async () => {
    const { publicKey } = (await generateSigner(await getCipherSuite(2))).signer;
    const hybrid = publicKey.with(0, 6 + ((publicKey.at(-1) ?? 0) & 1));
    const short = publicKey.subarray(0, 33);
    const header = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
    for (const [key, info] of [[hybrid, spki("P-256", hybrid)] as const, [short, concat(header, short)] as const]) {
      const credential = x509(await root.issue("alice", info));
      await expectRefused(judge(credential, { key }), { requirement: "R-5.3-2", reason: "key" });
    }
  });

  test("R-5.3-2: the same bytes as a key of another kind are refused", async () => {
    const x25519 = concat(fromHex("302a300506032b656e032100"), alice.signer.publicKey);
    const credential = x509(await root.issue("alice", x25519));
    await expectRefused(judge(credential), { requirement: "R-5.3-2", reason: "key" });
  });
});

describe("the form of the chain", () => {
  const malformed = { requirement: "R-5.3-1", reason: "malformed" } as const;

  test("R-5.3-1: an empty chain is refused", () => expectRefused(judge(x509()), malformed));

  test.each([
    ["nothing", new Uint8Array(0)],
    ["garbage", utf8("this is not a certificate")],
    ["a truncated certificate", alicesCertificate.subarray(0, -1)],
    ["trailing bytes", concat(alicesCertificate, Uint8Array.of(0))],
    ["an indefinite length (BER)", concat(fromHex("3080"), alicesCertificate.subarray(4), fromHex("0000"))],
    ["nothing but nesting", fromHex("3080".repeat(8000))],
  ])("R-5.3-1: %s is refused, at any place", async (_, der) => {
    await expectRefused(judge(x509(der, office.certificate)), { ...malformed, certificate: 0 });
    await expectRefused(judge(x509(alicesCertificate, der)), { ...malformed, certificate: 1 });
  });

  test.each([
    ["twice the same extension", ["2.5.29.14", "2.5.29.14"]],
    ["basic constraints that are none", ["2.5.29.19"]],
    ["key usage that is none", ["2.5.29.15"]],
  ])("R-5.3-1: %s is refused", async (_, ids) => {
    const extensions = ids.map((id) => new Extension(id, false, utf8("junk")));
    await expectRefused(judge(await changed({ usage: false, extensions })), malformed);
  });

  test.each(["alice\0@example.org", "alice @example.org"])("R-5.3-1: the name %j is refused", async (value) => {
    await expectRefused(judge(await changed({ names: [{ type: "email", value }] })), malformed);
  });

  test("R-5.3-1: an algorithm outside of what is signed, other than the one inside, is refused", async () => {
    const ecdsaWithSha256 = fromHex("06082a8648ce3d040302");
    const place = lastIndexOf(alicesCertificate, ecdsaWithSha256) + ecdsaWithSha256.length - 1;
    await expectRefused(judge(x509(alicesCertificate.with(place, 3), office.certificate)), malformed);
  });

  test("R-5.3-1: extensions in a certificate of version 2 are refused", async () => {
    const version = lastIndexOf(alicesCertificate, fromHex("a003020102")) + 4;
    await expectRefused(judge(x509(alicesCertificate.with(version, 1), office.certificate)), malformed);
  });

  test("R-5.3-1: too many certificates, or too many bytes, are refused before they are parsed", async () => {
    const tooMuch = { requirement: "R-5.3-1", reason: "limit", code: "ERR_MLS_LIMIT" } as const;
    const junk = new Uint8Array(1);
    await expectRefused(judge(x509(...Array.from({ length: 9 }, () => junk))), tooMuch);
    await expectRefused(judge(x509(new Uint8Array(32 * 1024 + 1))), tooMuch);
    await expectRefused(judge(valid, { options: { limits: { certificates: 1 } } }), tooMuch);
    await expectRefused(judge(valid, { options: { limits: { bytes: 100 } } }), tooMuch);
  });

  test("R-5.3-1: issuers in another order than from one to the next are refused", async () => {
    const order = { requirement: "R-5.3.1-1", reason: "order" } as const;
    await expectRefused(judge(x509(alicesCertificate, root.certificate, office.certificate)), order);
    await expectRefused(judge(x509(alicesCertificate, office.certificate, office.certificate)), order);
    await expectRefused(judge(x509(office.certificate, alicesCertificate)), { requirement: "R-5.3-2", reason: "key" });
  });
});

describe("the path (R-5.3.1-1)", () => {
  const requirement = "R-5.3.1-1";

  test("R-5.3.1-1: an authority that is not trusted is refused, whatever it calls itself", async () => {
    const foreign = await Authority.root("root");
    const certificate = await foreign.issue("alice", alice.publicKey);
    await expectRefused(judge(x509(certificate, foreign.certificate)), { requirement, reason: "untrusted" });
    await expectRefused(judge(x509(certificate)), { requirement, reason: "untrusted" });
    await expectRefused(judge(x509(certificate, root.certificate)), { requirement, reason: "signature" });
  });

  test("R-5.3.1-1: a changed certificate is refused", async () => {
    const place = lastIndexOf(alicesCertificate, utf8("alice"));
    const eve = alicesCertificate.slice();
    eve.set(utf8("malic"), place);
    await expectRefused(judge(x509(eve, office.certificate)), { requirement, reason: "signature", certificate: 0 });
    const options = { intermediates: [office.certificate] };
    await expectRefused(judge(x509(eve), { options }), { requirement, reason: "untrusted" });
  });

  test("R-5.3.1-1: a signature that is no signature is refused", async () => {
    const [start, length] = [alicesCertificate.length - 66, 66];
    const zeros = concat(alicesCertificate.subarray(0, start), new Uint8Array(length));
    await expectRefused(judge(x509(zeros, office.certificate)), { requirement, reason: "signature" });
  });

  test.each([
    ["has expired", { notAfter: NOW - 1n }],
    ["is not valid yet", { notBefore: NOW + 1n }],
  ])("R-5.3.1-1: a certificate that %s is refused", async (_, changes) => {
    await expectRefused(judge(await changed(changes)), { requirement, reason: "validity", certificate: 0 });
    await expectRefused(judge(await below(changes)), { requirement, reason: "validity", certificate: 1 });
    const aged = await Authority.root("aged", changes);
    const options = { trustAnchors: [aged.certificate] };
    const credential = x509(await aged.issue("alice", alice.publicKey));
    await expectRefused(judge(credential, { options }), { requirement, reason: "validity", certificate: 1 });
  });

  test("R-5.3.1-1: a certificate is valid from its first to its last second", async () => {
    await judge(await changed({ notBefore: NOW, notAfter: NOW }));
  });

  test.each<[string, CertificateChanges]>([
    ["has no basic constraints", { authority: false }],
    ["is no authority", { authority: { isAuthority: false } }],
  ])("R-5.3.1-1: an issuer that %s is refused", async (_, changes) => {
    await expectRefused(judge(await below(changes)), { requirement, reason: "authority", certificate: 1 });
    const fake = await Authority.root("fake", changes);
    const options = { trustAnchors: [fake.certificate] };
    const credential = x509(await fake.issue("alice", alice.publicKey));
    await expectRefused(judge(credential, { options }), { requirement, reason: "authority", certificate: 1 });
  });

  test("R-5.3.1-1: an authority is no end entity, not even a trusted one", async () => {
    const authority = { isAuthority: true };
    await expectRefused(judge(await changed({ authority })), { requirement, reason: "authority", certificate: 0 });
    const own = await Authority.root("alice", { algorithm: { name: "Ed25519" }, usage: false });
    const key = own.certificate.slice(lastIndexOf(own.certificate, ED25519_KEY) + ED25519_KEY.length);
    const options = { trustAnchors: [own.certificate] };
    const attempt = judge(x509(own.certificate), { options, key: key.slice(0, 32) });
    await expectRefused(attempt, { requirement, reason: "untrusted" });
  });

  test("R-5.3.1-1: more authorities below an issuer than it may have are refused", async () => {
    const region = await root.authority("region", { authority: { isAuthority: true, pathLength: 0 } });
    await judge(x509(await region.issue("alice", alice.publicKey), region.certificate));
    const town = await region.authority("town");
    const chain = x509(await town.issue("alice", alice.publicKey), town.certificate, region.certificate);
    await expectRefused(judge(chain), { requirement, reason: "authority", certificate: 2 });
    const again = await region.authority("region"); // the same authority, renewed by itself: not one more
    await judge(x509(await again.issue("alice", alice.publicKey), again.certificate, region.certificate));
  });

  test("R-5.3.1-1: the number of authorities below a trust anchor is bounded too", async () => {
    const shallow = await Authority.root("shallow", { authority: { isAuthority: true, pathLength: 0 } });
    const middle = await shallow.authority("middle");
    const options = { trustAnchors: [shallow.certificate] };
    const chain = x509(await middle.issue("alice", alice.publicKey), middle.certificate);
    await expectRefused(judge(chain, { options }), { requirement, reason: "authority", certificate: 2 });
  });

  test("R-5.3.1-1: keys are used for what they are for", async () => {
    const usage = { requirement, reason: "usage" } as const;
    await expectRefused(judge(await below({ usage: KeyUsageFlags.cRLSign })), { ...usage, certificate: 1 });
    await expectRefused(judge(await changed({ usage: KeyUsageFlags.keyAgreement })), { ...usage, certificate: 0 });
    await judge(await below({ usage: false }));
    await judge(await changed({ usage: false }));
    await judge(await changed({ usage: KeyUsageFlags.digitalSignature | KeyUsageFlags.decipherOnly }));
  });

  test("R-5.3.1-1: certificates for other purposes are refused", async () => {
    const purposes = (...ids: string[]): CertificateChanges => ({
      extensions: [new ExtendedKeyUsageExtension(ids, true)],
    });
    const [clientAuth, messaging, any] = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.40", "2.5.29.37.0"];
    const usage = { requirement, reason: "usage" } as const;
    await expectRefused(judge(await changed(purposes(clientAuth))), { ...usage, certificate: 0 });
    await expectRefused(judge(await below(purposes(clientAuth))), { ...usage, certificate: 1 });
    await judge(await changed(purposes(clientAuth, messaging)));
    await judge(await changed(purposes(any)));
    await judge(await changed(purposes(clientAuth)), { options: { purposes: [clientAuth] } });
  });

  test.each([
    ["unknown", "1.2.3.4"],
    ["a policy constraint", "2.5.29.36"],
    ["a name constraint", "2.5.29.30"],
  ])("R-5.3.1-1: a critical extension that is not understood is refused: %s", async (_, id) => {
    const extensions = [new Extension(id, true, fromHex("3000"))];
    await expectRefused(judge(await changed({ extensions })), { requirement, reason: "extension", certificate: 0 });
    await expectRefused(judge(await below({ extensions })), { requirement, reason: "extension", certificate: 1 });
  });

  test("R-5.3.1-1: name constraints are refused even if they are not critical; other extensions are not", async () => {
    const extension = (id: string): CertificateChanges => ({ extensions: [new Extension(id, false, fromHex("3000"))] });
    await expectRefused(judge(await below(extension("2.5.29.30"))), { requirement, reason: "extension" });
    await judge(await below(extension("1.2.3.4")));
  });

  test("R-5.3.1-1: if several paths are refused, the error is that of the first", async () => {
    const old = await root.authority("root", { notAfter: NOW - 1n });
    const fake = await root.authority("root", { authority: false });
    const trustAnchors = [old.certificate, fake.certificate];
    await expectRefused(judge(valid, { options: { trustAnchors } }), { requirement, reason: "validity" });
    trustAnchors.reverse();
    await expectRefused(judge(valid, { options: { trustAnchors } }), { requirement, reason: "authority" });
    await judge(valid, { options: { trustAnchors: [...trustAnchors, root.certificate] } });
  });

  test("R-5.3.1-1: a certificate that names nobody is refused", async () => {
    await expectRefused(judge(await changed({ subject: "", names: [] })), { requirement, reason: "identity" });
    await judge(await changed({ subject: "" }));
    await judge(await changed({ names: [] }));
  });
});

describe("how certificates are signed", () => {
  const RSA = { name: "RSASSA-PKCS1-v1_5", publicExponent: Uint8Array.of(1, 0, 1) };
  const rsa = (hash: string, modulusLength = 2048): { hash: string; algorithm: RsaHashedKeyGenParams } => ({
    hash,
    algorithm: { ...RSA, modulusLength, hash },
  });
  const ecdsa = (namedCurve: string, hash: string): { hash: string; algorithm: EcKeyGenParams } => ({
    hash,
    algorithm: { name: "ECDSA", namedCurve },
  });

  test.each([
    ["Ed25519", { algorithm: { name: "Ed25519" } }],
    ["P-256 with SHA-256", ecdsa("P-256", "SHA-256")],
    ["P-384 with SHA-256", ecdsa("P-384", "SHA-256")],
    ["P-384 with SHA-384", ecdsa("P-384", "SHA-384")],
    ["P-521 with SHA-512", ecdsa("P-521", "SHA-512")],
    ["RSA with SHA-256", rsa("SHA-256")],
    ["RSA with SHA-384", rsa("SHA-384")],
    ["RSA with SHA-512", rsa("SHA-512")],
  ])("R-5.3.1-1: %s is verified", async (_, how) => {
    const authority = await Authority.root("authority", how);
    const options = { trustAnchors: [authority.certificate] };
    const certificate = await authority.issue("alice", alice.publicKey);
    await judge(x509(certificate), { options });
    const broken = certificate.with(-1, (certificate.at(-1) ?? 0) ^ 1);
    await expectRefused(judge(x509(broken), { options }), { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test("R-5.3.1-1: Ed448 is verified", async () => {
    const { signer, publicKey } = await generateSigner(await getCipherSuite(4));
    const changes = { authority: { isAuthority: true }, usage: KeyUsageFlags.keyCertSign };
    const options = { trustAnchors: [await root.issue("authority", publicKey, changes)] };
    const other = await (await Authority.root("authority")).issue("alice", alice.publicKey);
    const certificate = await signAnew(other, "1.3.101.113", signer);
    await judge(x509(certificate), { options });
    const broken = certificate.with(-1, (certificate.at(-1) ?? 0) ^ 1);
    await expectRefused(judge(x509(broken), { options }), { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test.each([
    ["SHA-1", rsa("SHA-1")],
    ["an RSA key of 1024 bits", rsa("SHA-256", 1024)],
  ])("R-5.3.1-1: %s is refused", async (_, how) => {
    const weak = await Authority.root("weak", how);
    const options = { trustAnchors: [weak.certificate] };
    const credential = x509(await weak.issue("alice", alice.publicKey));
    await expectRefused(judge(credential, { options }), { requirement: "R-5.3.1-1", reason: "algorithm" });
  });

  test("R-5.3.1-1: a key of another kind verifies nothing, nor does an authority of another name", async () => {
    const { signer, publicKey } = alice;
    const x25519 = concat(fromHex("302a300506032b656e032100"), signer.publicKey);
    const changes = { authority: { isAuthority: true }, usage: KeyUsageFlags.keyCertSign };
    const other = await (await Authority.root("authority")).issue("alice", publicKey);
    const credential = x509(await signAnew(other, "1.3.101.112", signer));
    const judgeWith = async (name: string, key: Bytes): Promise<void> =>
      judge(credential, { options: { trustAnchors: [await root.issue(name, key, changes)] } });
    await judgeWith("authority", publicKey);
    const untrusted = { requirement: "R-5.3.1-1", reason: "untrusted" } as const;
    await expectRefused(judgeWith("authority", x25519), untrusted);
    await expectRefused(judgeWith("elsewhere", publicKey), untrusted);
  });

  test("R-5.3.1-1: an ECDSA signature of negative numbers is refused", async () => {
    let certificate = alicesCertificate;
    while (withSignedIntegers(certificate).length === certificate.length) {
      certificate = await office.issue("alice", alice.publicKey); // until one of them has its first bit set
    }
    await judge(x509(certificate, office.certificate));
    const negative = judge(x509(withSignedIntegers(certificate), office.certificate));
    await expectRefused(negative, { requirement: "R-5.3.1-1", reason: "signature" });
  });

  test("R-5.3.1-1: an issuer's compressed key verifies nothing, on no platform", async () => {
    const { signer, publicKey } = await generateSigner(await getCipherSuite(2));
    const changes = { authority: { isAuthority: true }, usage: KeyUsageFlags.keyCertSign };
    const issued = await (await Authority.root("authority")).issue("alice", alice.publicKey);
    const credential = x509(await signAnew(issued, "1.2.840.10045.4.3.2", signer));
    const judgeWith = async (key: Bytes): Promise<void> =>
      judge(credential, { options: { trustAnchors: [await root.issue("authority", key, changes)] } });
    await judgeWith(publicKey);
    const sign = 2 + ((signer.publicKey.at(-1) ?? 0) & 1);
    const compressed = concat(Uint8Array.of(sign), signer.publicKey.subarray(1, 33));
    const header = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
    await expectRefused(judgeWith(concat(header, compressed)), { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test.each([
    ["0", "00"],
    ["the order", "00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"],
  ])("R-5.3.1-1: an ECDSA signature with %s is refused before the platform is asked", async (_, integer) => {
    const verify = vi.spyOn(globalThis.crypto.subtle, "verify");
    const certificate = await root.issue("alice", alice.publicKey);
    await judge(x509(certificate));
    const asked = verify.mock.calls.length;
    for (const which of ["r", "s"] as const) {
      const changed = withInteger(certificate, which, fromHex(integer));
      await expectRefused(judge(x509(changed)), { requirement: "R-5.3.1-1", reason: "untrusted" });
    }
    expect(verify.mock.calls.length).toBe(asked);
    verify.mockRestore();
  });

  test("an algorithm that the platform lacks is an error of its own", async () => {
    const { subtle } = globalThis.crypto;
    const importKey = subtle.importKey.bind(subtle);
    subtle.importKey = () => Promise.reject(new DOMException("no such curve", "NotSupportedError"));
    try {
      await expect(judge(valid)).rejects.toMatchObject({ code: "ERR_MLS_CRYPTO" });
    } finally {
      subtle.importKey = importKey;
    }
  });
});

describe("issuers that are left out", () => {
  test("R-5.3-3: are found among those that the application knows", async () => {
    const town = await office.authority("town");
    const certificate = await town.issue("alice", alice.publicKey);
    const options = { intermediates: [office.certificate, town.certificate] };
    await judge(x509(certificate), { options });
    await judge(x509(certificate, town.certificate), { options });
    await judge(x509(certificate, town.certificate, office.certificate), { options });
  });

  test("R-5.3-3: a path through them obeys the same rules", async () => {
    const old = await root.authority("old", { notAfter: NOW - 1n });
    const certificate = await old.issue("alice", alice.publicKey);
    const attempt = judge(x509(certificate), { options: { intermediates: [old.certificate] } });
    await expectRefused(attempt, { requirement: "R-5.3.1-1", reason: "validity", certificate: 1 });
    const renewed = await root.authority("office", { notAfter: NOW - 1n }); // same name, another key
    await judge(x509(alicesCertificate), { options: { intermediates: [renewed.certificate, office.certificate] } });
  });

  test("R-5.3-3: those that are not known are not left out", async () => {
    await expectRefused(judge(x509(alicesCertificate)), { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test("R-5.3-3: to be known is not to be trusted", async () => {
    const foreign = await Authority.root("foreign");
    const certificate = await foreign.issue("alice", alice.publicKey);
    const attempt = judge(x509(certificate), { options: { intermediates: [foreign.certificate] } });
    await expectRefused(attempt, { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test("R-5.3-3: authorities that certify each other do not keep the search going", async () => {
    const [east, west] = [await Authority.root("east"), await Authority.root("west")];
    const crossed = await Promise.all([west.authority("east"), east.authority("west")]);
    const options = { intermediates: [east, west, ...crossed].map(({ certificate }) => certificate) };
    const attempt = judge(x509(await east.issue("alice", alice.publicKey)), { options });
    await expectRefused(attempt, { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test("R-5.3-3: a path is not longer than the limit, however much is left out", async () => {
    const options = { intermediates: [office.certificate], limits: { certificates: 2 } };
    const attempt = judge(x509(alicesCertificate), { options });
    await expectRefused(attempt, { requirement: "R-5.3.1-1", reason: "untrusted" });
    const chain = judge(valid, { options });
    await expectRefused(chain, { requirement: "R-5.3.1-1", reason: "limit" });
  });
});

describe("a credential that takes the place of another (R-5.3.1-8)", () => {
  const previous = identity(valid);
  const refused = { requirement: "R-5.3.1-8", reason: "successor" } as const;

  test("R-5.3.1-8: is of the same subject, also with another key, issuer and order of names", async () => {
    const { signer, publicKey } = await generateSigner(suite1);
    await judge(x509(await root.issue("alice", publicKey, { subject: "CN=Alice A." })), {
      key: signer.publicKey,
      previous,
    });
    const names = [
      { type: "email", value: "alice@example.org" },
      { type: "url", value: "im:alice@example.org" },
    ] as const;
    const both = identity(await changed({ names: [...names] }));
    await judge(await changed({ names: [...names].reverse() }), { previous: both });
    await expectRefused(judge(valid, { previous: both }), refused);
  });

  test("R-5.3.1-8: another subject is refused, whether its name is an address or a distinguished name", async () => {
    await expectRefused(judge(x509(await root.issue("bob", alice.publicKey)), { previous }), refused);
    const named = identity(await changed({ names: [] }));
    await judge(await changed({ names: [], notAfter: NOW + 5n }), { previous: named });
    await expectRefused(judge(await changed({ names: [], subject: "CN=bob" }), { previous: named }), refused);
    await expectRefused(judge(valid, { previous: named }), refused);
  });

  test("R-5.3.1-8: the application may decide otherwise", async () => {
    const married = await changed({ names: [{ type: "email", value: "alice.b@example.org" }] });
    await expectRefused(judge(married, { previous }), refused);
    await judge(married, { previous, options: { identityOf: ({ subject }) => String(subject) } });
  });

  test("R-5.3.1-8: a path is needed as well", async () => {
    const foreign = await Authority.root("foreign");
    const certificate = await foreign.issue("alice", alice.publicKey);
    await expectRefused(judge(x509(certificate), { previous }), { requirement: "R-5.3.1-1", reason: "untrusted" });
  });

  test("R-5.3.1-8: types do not change", async () => {
    const accept: AuthenticationService = { validate: () => Promise.resolve() };
    const basic = basicCredential("alice");
    await expectRefused(judge(basic, { previous, options: { others: accept } }), refused);
    await expectRefused(judge(valid, { previous: identity(basic) }), refused);
  });

  test("R-5.3.2-1: replaces an expired one; R-5.3.2-2: one that is kept is not judged anew", async () => {
    const expired = identity(await changed({ notAfter: NOW - 1n }));
    await judge(valid, { previous: expired });
    await judge(expired.credential, { previous: expired });
    await expectRefused(judge(expired.credential), { requirement: "R-5.3.1-1", reason: "validity" });
    const other = await generateSigner(suite1);
    const key = other.signer.publicKey;
    await expectRefused(judge(valid, { key, previous }), { requirement: "R-5.3-2", reason: "key" });
    await expectRefused(judge(valid, { key, previous: identity(valid, key) }), {
      requirement: "R-5.3-2",
      reason: "key",
    });
  });
});

describe("what the application says", () => {
  test("R-5.3.1-1: it decides whether a genuine credential is the expected one", async () => {
    const seen: GenuineCredential[] = [];
    const names = [
      { type: "dns", value: "example.org" },
      { type: "ip", value: "192.0.2.1" },
    ] as const;
    const credential = await changed({ names: [...names] });
    await judge(credential, { options: { accept: (genuine) => Promise.resolve(void seen.push(genuine)) } });
    const [genuine] = seen;
    expect(genuine?.names).toEqual([
      { kind: "dns", value: "example.org" },
      { kind: "other", value: "8704c0000201" },
    ]);
    expect(genuine?.path.slice(1)).toEqual([office.certificate, root.certificate]);
    expect(genuine?.path[0]).toEqual(genuine?.certificate);
    expect(genuine).toMatchObject({ signatureKey: alice.signer.publicKey, moment: "add" });
    const accept = (): Promise<void> => Promise.reject(new Error("revoked"));
    await expect(judge(valid, { options: { accept } })).rejects.toThrow("revoked");
  });

  test.each<[string, () => unknown]>([
    ["async () => false", () => Promise.resolve(false)],
    ["() => 0", () => 0],
    ["() => null", () => null],
    ["a throwing one", (): unknown => JSON.parse("{")],
  ])("hooks that answer otherwise than they should refuse: %s", async (_, answer) => {
    const hook = answer as never;
    await expect(judge(valid, { options: { accept: hook } })).rejects.toThrow();
    await expect(judge(valid, { options: { identityOf: hook } })).rejects.toThrow();
    const { sameIdentity, sameClient } = service({ identityOf: hook, sameClient: hook });
    expect(() => sameIdentity?.(valid, valid)).toThrow();
    // What is no boolean is passed on to the core, which refuses it.
    const verdict = (): unknown => sameClient?.(identity(valid), identity(valid));
    if (_ === "a throwing one") expect(verdict).toThrow(SyntaxError);
    else expect(typeof verdict()).not.toBe("boolean");
  });

  test("other types of credentials go to whoever judges them, else they are refused", async () => {
    const basic = basicCredential("alice");
    await expectRefused(judge(basic), { requirement: "R-5.3.1-1", reason: "type" });
    const others: AuthenticationService = {
      validate: () => Promise.reject(new Error("asked")),
      sameClient: () => true,
      sameIdentity: () => true,
    };
    await expect(judge(basic, { options: { others } })).rejects.toThrow("asked");
    const [bob, { sameClient, sameIdentity }] = [basicCredential("bob"), service({ others })];
    expect(sameClient?.(identity(basic), identity(bob))).toBe(true);
    expect(sameClient?.(identity(basic), identity(valid))).toBe(false);
    expect(sameIdentity?.(basic, bob)).toBe(true);
    expect(sameIdentity?.(basic, valid)).toBe(false);
    expect(service().sameIdentity?.(basic, basicCredential("alice"))).toBe(true);
    expect(service().sameIdentity?.(basic, bob)).toBe(false);
    expect(service().sameClient?.(identity(basic), identity(basic))).toBe(false);
  });

  test("R-11.3-3: certificates of the same subject present the same identity, which is not yet the same client", async () => {
    const renewed = await changed({ notAfter: NOW + 5n });
    const bob = x509(await root.issue("bob", alice.publicKey));
    const nobody = await changed({ subject: "", names: [] });
    const { sameIdentity, sameClient } = service();
    expect(sameIdentity?.(valid, renewed)).toBe(true);
    expect(sameIdentity?.(valid, bob)).toBe(false);
    expect(sameIdentity?.(nobody, nobody)).toBe(false);
    expect(sameClient?.(identity(valid), identity(renewed))).toBe(false);
    const strict = service({ sameClient: (a, b) => String(a.subject) === String(b.subject) });
    expect(strict.sameClient?.(identity(valid), identity(renewed))).toBe(true);
    expect(strict.sameClient?.(identity(valid), identity(bob))).toBe(false);
  });

  test("a trust anchor that is no certificate is a caller's mistake", () => {
    expect(() => service({ trustAnchors: [utf8("root")] })).toThrow(TypeError);
    expect(() => service({ intermediates: [new Uint8Array(0)] })).toThrow(TypeError);
  });
});

/** subjectPublicKeyInfo of an Ed25519 key, up to the key. */
const ED25519_KEY = spki("Ed25519", new Uint8Array(0));

function lastIndexOf(bytes: Bytes, part: Bytes): number {
  for (let at = bytes.length - part.length; at >= 0; at--) {
    if (part.every((byte, i) => byte === bytes[at + i])) return at;
  }
  throw new RangeError("not in these bytes");
}

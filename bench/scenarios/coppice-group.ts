/** A Coppice group of two, as application code would make it with the core alone. */
import type { GroupState, Signer } from "@coppice/core";
import {
  adoptCommit,
  basicCredential,
  createCommit,
  createGroup,
  createKeyPackage,
  decodeMessageOf,
  defaultCapabilities,
  getCipherSuite,
  joinGroup,
  makeRules,
} from "@coppice/core";

const NOW = 1_800_000_000n;
const lifetime = { notBefore: NOW - 3600n, notAfter: NOW + 86_400n };

export const RULES = makeRules({ authentication: { validate: () => Promise.resolve() }, now: () => NOW });

interface Member {
  readonly state: GroupState;
  readonly signer: Signer;
}

export async function foundGroup(): Promise<{ readonly creator: Member; readonly joiner: Member }> {
  const suite = await getCipherSuite(1);
  const capabilities = defaultCapabilities([suite.id]);
  const newSigner = async (): Promise<Signer> => {
    const { privateKey } = await suite.signature.generateKeyPair();
    return suite.signature.importSigner(privateKey);
  };
  const [alice, bob] = [await newSigner(), await newSigner()];
  const founded = await createGroup({
    ...{ suite, rules: RULES, capabilities, lifetime },
    credential: basicCredential("alice"),
    signer: alice,
  });
  const keyPackage = await createKeyPackage({
    ...{ suite, capabilities, lifetime },
    credential: basicCredential("bob"),
    signer: bob,
  });
  const made = await createCommit(founded, {
    rules: RULES,
    signer: alice,
    proposals: [{ proposalType: 1, keyPackage: keyPackage.keyPackage }],
  });
  if (made.staged.welcome === undefined) throw new Error("no Welcome");
  const { welcome } = decodeMessageOf("mls_welcome", made.staged.welcome);
  const { state } = await joinGroup(welcome, { suite, rules: RULES, keyPackage });
  return {
    creator: { state: adoptCommit(made.state, made.staged, RULES).state, signer: alice },
    joiner: { state, signer: bob },
  };
}

/** Coppice, as application code uses its core. */
import type { CommitRequest, Client, Committed, Library, Member, Bytes } from "./library.ts";
import type { CipherSuite, GroupState, OwnKeyPackage, Proposal, Signer } from "@coppice/core";
import {
  adoptCommit,
  basicCredential,
  createApplicationMessage,
  createCommit,
  createExternalCommit,
  createGroup,
  createGroupInfo,
  createKeyPackage,
  decodeGroupState,
  decodeMessageOf,
  defaultCapabilities,
  DEFAULT_LIMITS,
  encodeGroupState,
  encodeMessage,
  getCipherSuite,
  joinGroup,
  makeRules,
  openMany,
  processMessage,
  ProposalType,
} from "@coppice/core";
import { identityOf } from "../fixtures/identity.ts";

/** Peers look at the clock themselves: all have to live in the same time. */
const NOW = BigInt(Math.floor(Date.now() / 1000));

export const RULES = makeRules({
  authentication: { validate: () => Promise.resolve() },
  now: () => NOW,
  limits: { ...DEFAULT_LIMITS, messageBytes: 2 ** 28, proposalsPerCommit: 2 ** 16 },
});

export const SUITE = await getCipherSuite(1);
/** What people and groups of a suite have in common. */
export const aboutOf = (suite: CipherSuite) => ({
  suite,
  rules: RULES,
  capabilities: defaultCapabilities([suite.id]),
  lifetime: { notBefore: NOW - 3_600n, notAfter: NOW + 28n * 86_400n },
});

interface Person {
  readonly privateKey: Bytes;
  readonly credential: ReturnType<typeof basicCredential>;
  readonly signer: Signer;
}

async function newPerson(suite: CipherSuite, number: number): Promise<Person> {
  const { privateKey } = await suite.signature.generateKeyPair();
  return {
    privateKey,
    credential: basicCredential(identityOf(number)),
    signer: await suite.signature.importSigner(privateKey),
  };
}

/** A member of which the state is at hand, for fixtures and for counting the work of a step. */
export interface CoppiceMember extends Member {
  readonly signer: Signer;
  readonly state: () => GroupState;
  readonly fork: () => CoppiceMember;
  readonly decode: (state: Bytes) => Promise<CoppiceMember>;
}

export function memberOf(state: GroupState, signer: Signer): CoppiceMember {
  let current = state;
  const open = async (message: Bytes): Promise<Bytes> => {
    const received = await processMessage(current, message, { rules: RULES });
    if (received.kind !== "application") throw new Error("not an application message");
    current = received.state;
    return received.data;
  };
  return {
    signer,
    state: () => current,
    fork: () => memberOf(current, signer),
    commit: async (request) => {
      const made = await createCommit(current, { rules: RULES, signer, ...toOptions(request) });
      current = adoptCommit(made.state, made.staged, RULES).state;
      return { commit: made.staged.commit, welcome: made.staged.welcome } satisfies Committed;
    },
    process: async (commit) => {
      const received = await processMessage(current, commit, { rules: RULES });
      if (received.kind !== "commit") throw new Error("not a Commit");
      current = received.state;
    },
    send: async (data) => {
      const sent = await createApplicationMessage(current, data, { rules: RULES, signer });
      current = sent.state;
      return sent.message;
    },
    open,
    openAll: async (messages) => {
      const opened = await openMany(current, messages, { rules: RULES });
      if (opened.outcomes.some(({ kind }) => kind === "refused")) throw new Error("a message was refused");
      if (opened.outcomes.length < messages.length) throw new Error("not application messages only");
      current = opened.state;
    },
    encode: () => encodeGroupState(current),
    decode: async (bytes) => memberOf(await decodeGroupState(bytes), signer),
    groupInfo: async () =>
      encodeMessage({ wireFormat: "mls_group_info", groupInfo: await createGroupInfo(current, signer) }),
  };
}

function toOptions({ add = [], remove = [], wire }: CommitRequest): {
  readonly proposals: readonly Proposal[];
  readonly forcePath: boolean;
  readonly wireFormat?: "mls_private_message" | "mls_public_message";
} {
  const added = add.map((bytes): Proposal => {
    const { keyPackage } = decodeMessageOf("mls_key_package", bytes);
    return { proposalType: ProposalType.add, keyPackage };
  });
  const removed = remove.map((leaf): Proposal => ({ proposalType: ProposalType.remove, removed: leaf }));
  const proposals = [...added, ...removed];
  return { proposals, forcePath: proposals.length === 0, ...(wire === undefined ? {} : { wireFormat: wire }) };
}

export interface CoppiceClient extends Client {
  readonly privateKey: Bytes;
  readonly signer: Signer;
  readonly found: () => Promise<CoppiceMember>;
  readonly join: (welcome: Bytes) => Promise<CoppiceMember>;
}

const copyOf = (own: OwnKeyPackage): OwnKeyPackage => ({ ...own, initPrivateKey: own.initPrivateKey.slice() });

interface CoppiceLibrary extends Library {
  readonly newClient: (number: number, suite?: CipherSuite) => Promise<CoppiceClient>;
}

/** With groups of this suite. */
export function coppiceOf(groupSuite: CipherSuite): CoppiceLibrary {
  const about = aboutOf(groupSuite);
  return {
    name: "coppice",
    forks: true,
    newClient: async (number, suite = groupSuite) => {
      const person = await newPerson(groupSuite, number);
      const own = await createKeyPackage({ ...about, ...person, suite });
      const encoded = ({ keyPackage }: OwnKeyPackage): Bytes =>
        encodeMessage({ wireFormat: "mls_key_package", keyPackage });
      return {
        privateKey: person.privateKey,
        signer: person.signer,
        keyPackage: encoded(own),
        newKeyPackage: async () => encoded(await createKeyPackage({ ...about, ...person })),
        found: async () => memberOf(await createGroup({ ...about, ...person }), person.signer),
        join: async (bytes) => {
          const { welcome } = decodeMessageOf("mls_welcome", bytes, RULES.limits);
          const { state } = await joinGroup(welcome, { ...about, suite, keyPackage: copyOf(own) });
          return memberOf(state, person.signer);
        },
        joinExternally: async (bytes) => {
          const { groupInfo } = decodeMessageOf("mls_group_info", bytes, RULES.limits);
          return (await createExternalCommit(groupInfo, { ...about, ...person })).commit;
        },
      };
    },
  };
}

export const coppice: CoppiceLibrary = coppiceOf(SUITE);

/** AppDataUpdate (draft-ietf-mls-extensions-10 §4.7) and AppEphemeral (§4.8): data of components in Commits. */
import { assertBytes, copyBytes } from "@coppice/kit";
import { type Bytes, equalBytes } from "../../codec/bytes.ts";
import { type Codec, opaque, select, struct, uint16, uint8 } from "../../codec/codec.ts";
import { CoppiceError } from "../../errors.ts";
import { type Extension, findExtension, findRequiredCapabilities } from "../../extensions/extension.ts";
import type { Sender, SentProposal } from "../../framing/framed-content.ts";
import { type CustomProposal, DraftProposalType, ProposalType } from "../../framing/proposal.ts";
import { type CustomProposalType, type ProposalTypeRules, defineProposalType } from "../../proposal/custom-proposal.ts";
import type { RatchetTree } from "../../tree/ratchet-tree.ts";
import { type AppData, appData, readAppData } from "./app-data.ts";
import { DraftExtensionType } from "./component.ts";

/** What a component is asked in a Commit. All members must come to the same answer, so it may depend on nothing but the request. */
interface Request {
  /** The component's data in the group context; undefined if there are none. */
  readonly current: Bytes | undefined;
  /** All data in the group context. */
  readonly all: AppData;
  /** The members of the next epoch. */
  readonly tree: RatchetTree;
}

/** A component of the application, as `withExtensions` takes it. A component that is not listed is not known: its proposals are refused. */
export interface Component {
  /** uint16: 0x8000 to 0xffff for private use. */
  readonly componentId: number;
  /**
   * The new data after these updates, in the order of the Commit; throws to refuse them. Default: every update is refused.
   */
  readonly update?: (
    request: Request & { readonly updates: readonly { readonly update: Bytes; readonly sender: Sender }[] },
  ) => Uint8Array | Promise<Uint8Array>;
  /** Throws to refuse that its data are removed. Default: they may be. */
  readonly checkRemove?: (request: Request & { readonly sender: Sender }) => void | Promise<void>;
  /** Throws to refuse ephemeral data. Default: all are refused. */
  readonly checkEphemeral?: (request: {
    readonly data: Bytes;
    readonly sender: Sender;
    readonly tree: RatchetTree;
  }) => void | Promise<void>;
}

/**
 * ```tls
 * struct {
 *   ComponentID component_id; AppDataUpdateOperation op;
 *   select (AppDataUpdate.op) { case update: opaque update<V>; case remove: struct{}; };
 * } AppDataUpdate;
 * ```
 */
export type AppDataUpdate =
  | { readonly op: "update"; readonly componentId: number; readonly update: Bytes }
  | { readonly op: "remove"; readonly componentId: number };

const invalid = (message: string, requirement: string, componentId: number, cause?: unknown): CoppiceError =>
  new CoppiceError("ERR_MLS_PROPOSAL", message, { requirement, detail: { componentId }, cause });

const rest: Codec<{ readonly op: 1; readonly update: Bytes } | { readonly op: 2 }> = select(
  "op",
  uint8 as Codec<1 | 2>,
  { 1: struct({ update: opaque }), 2: struct({}) },
  (op) =>
    new CoppiceError("ERR_MLS_PROPOSAL", `An AppDataUpdate of operation ${String(op)}`, { requirement: "X-4.7-5" }),
);

const body: Codec<AppDataUpdate> = {
  encode: (writer, value) => {
    writer.uint(value.componentId, 2);
    rest.encode(writer, value.op === "update" ? { op: 1, update: value.update } : { op: 2 });
  },
  decode: (reader) => {
    const componentId = reader.uint(2);
    const read = rest.decode(reader);
    return read.op === 1 ? { op: "update", componentId, update: read.update } : { op: "remove", componentId };
  },
};

const updateType: CustomProposalType<AppDataUpdate> = defineProposalType({
  customType: DraftProposalType.appDataUpdate,
  body,
  external: true,
  externalCommit: true,
  pathRequired: false,
  order: "end",
});

/** `struct { ComponentID component_id; opaque data<V>; } AppEphemeral;` */
export interface AppEphemeral {
  readonly componentId: number;
  readonly data: Bytes;
}

const ephemeralType: CustomProposalType<AppEphemeral> = defineProposalType({
  customType: DraftProposalType.appEphemeral,
  body: struct({ componentId: uint16, data: opaque }),
  external: true,
  externalCommit: true,
  pathRequired: false,
  order: "last",
});

/**
 * Proposes to update the data of a component in the group context: the component says what an update means.
 *
 * @example
 * ```ts run
 * import { adoptCommit, createCommit, createGroup, defaultCapabilities, utf8 } from "@coppice/core";
 * import { type Component, leafExtensions, proposeAppData, readAppData } from "@coppice/core/drafts/extensions";
 * import { supported, withExtensions } from "@coppice/core/drafts/extensions";
 * import { alice, lifetime, rules as plain, suite } from "./example-group.ts"; // docs/examples
 *
 * // A topic: the last update is what it is.
 * const topic: Component = { componentId: 0x8001, update: ({ updates }) => updates.at(-1)?.update ?? utf8("") };
 * const rules = withExtensions(plain, { components: [topic] });
 * const founded = await createGroup({
 *   ...{ suite, rules, lifetime, credential: alice.credential, signer: alice.signer },
 *   capabilities: defaultCapabilities([suite.id], supported),
 *   leafExtensions: leafExtensions({ components: [topic.componentId] }),
 * });
 * const proposals = [proposeAppData(topic.componentId, utf8("tea"))];
 * const made = await createCommit(founded, { rules, signer: alice.signer, proposals });
 * const { state } = adoptCommit(made.state, made.staged, rules);
 * console.assert(readAppData(state.context.extensions).get(0x8001)?.length === 3);
 * ```
 */
export const proposeAppData = (componentId: number, update: Uint8Array): CustomProposal =>
  updateType.propose({ op: "update", componentId, update: copyBytes(update, "update") });

/** Proposes to remove the data of a component from the group context. */
export const proposeAppDataRemoval = (componentId: number): CustomProposal =>
  updateType.propose({ op: "remove", componentId });

/** Proposes data of a component that are to be part of a Commit and of nothing else: they stand in the effect of the Commit. */
export const proposeEphemeral = (componentId: number, data: Uint8Array): CustomProposal =>
  ephemeralType.propose({ componentId, data: copyBytes(data, "data") });

/** The AppDataUpdate that a proposal is; undefined for any other. */
export const readAppDataUpdate: (proposal: SentProposal["proposal"]) => AppDataUpdate | undefined = updateType.read;

/** The AppEphemeral that a proposal is; undefined for any other. */
export const readAppEphemeral: (proposal: SentProposal["proposal"]) => AppEphemeral | undefined = ephemeralType.read;

type Known = ReadonlyMap<number, Component>;

function knownComponent(components: Known, componentId: number, requirement: string): Component {
  const found = components.get(componentId);
  if (found !== undefined) return found;
  throw invalid(`Component ${String(componentId)} is not known`, requirement, componentId);
}

/** Asks a component; what it throws is the cause of an `ERR_MLS_PROPOSAL`. */
async function askComponent<T>(componentId: number, requirement: string, ask: () => T | Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw invalid(`Component ${String(componentId)} refused a proposal`, requirement, componentId, cause);
  }
}

/** AppDataUpdate, for `rules.proposalTypes`. */
export const appDataUpdateRules = (components: Known): ProposalTypeRules => ({
  ...updateType,
  apply: async ({ proposals, tree, extensions }) => {
    const byComponent = new Map<number, { readonly update: AppDataUpdate; readonly sender: Sender }[]>();
    for (const { proposal, sender } of proposals) {
      const update = updateType.read(proposal);
      if (update === undefined) throw new RangeError("A proposal of another type");
      const list = byComponent.get(update.componentId);
      if (list === undefined) byComponent.set(update.componentId, [{ update, sender }]);
      else list.push({ update, sender });
    }
    const before = readAppData(extensions);
    const after = new Map(before);
    for (const [componentId, list] of byComponent) {
      const data = await nextData(knownComponent(components, componentId, "X-4.7-1"), list, { all: before, tree });
      if (data === undefined) after.delete(componentId);
      else after.set(componentId, data);
    }
    return replaceAppData(extensions, after);
  },
});

/** The data that these proposals leave of a component; undefined for none. */
async function nextData(
  component: Component,
  list: readonly { readonly update: AppDataUpdate; readonly sender: Sender }[],
  at: Omit<Request, "current">,
): Promise<Bytes | undefined> {
  const { componentId } = component;
  const current = at.all.get(componentId);
  const updates = list.flatMap(({ update, sender }) =>
    update.op === "update" ? [{ update: update.update, sender }] : [],
  );
  if (updates.length === list.length) {
    const next = await askComponent(componentId, "X-4.7-4", () => {
      if (component.update === undefined) throw new TypeError("It takes no updates");
      return component.update({ ...at, current, updates });
    });
    assertBytes(next, "what a component makes of an update");
    return new Uint8Array(next);
  }
  const [only] = list;
  if (only === undefined || list.length > 1) {
    throw new CoppiceError("ERR_MLS_PROPOSAL_LIST", "A component's data are removed and changed, or removed twice", {
      requirement: "X-4.7-3",
      detail: { componentId },
    });
  }
  if (current === undefined) throw invalid("There are no data to remove", "X-4.7-2", componentId);
  await askComponent(componentId, "X-4.7-4", () => component.checkRemove?.({ ...at, current, sender: only.sender }));
  return undefined;
}

/** In its place; at the end if there was none. It stays, empty, when the last data go. */
function replaceAppData(extensions: readonly Extension[], data: AppData): readonly Extension[] {
  const made = appData(data);
  const isHere = ({ extensionType }: Extension): boolean => extensionType === made.extensionType;
  return extensions.some(isHere)
    ? extensions.map((extension) => (isHere(extension) ? made : extension))
    : [...extensions, made];
}

/** AppEphemeral, for `rules.proposalTypes`. */
export const appEphemeralRules = (components: Known): ProposalTypeRules => ({
  ...ephemeralType,
  apply: async ({ proposals, tree, extensions }) => {
    for (const { proposal, sender } of proposals) {
      const ephemeral = ephemeralType.read(proposal);
      if (ephemeral === undefined) throw new RangeError("A proposal of another type");
      const { componentId, data } = ephemeral;
      const component = knownComponent(components, componentId, "X-4.8-1");
      await askComponent(componentId, "X-4.8-2", () => {
        if (component.checkEphemeral === undefined) throw new TypeError("It takes no ephemeral data");
        return component.checkEphemeral({ data, sender, tree });
      });
    }
    return extensions;
  },
});

/**
 * `ERR_MLS_PROPOSAL` (X-4.7-6) for a GroupContextExtensions that changes the `app_data_dictionary` of a group that requires
 * AppDataUpdate.
 */
export function checkContextExtensions(
  proposals: readonly SentProposal[],
  { extensions }: { readonly extensions: readonly Extension[] },
): void {
  const required = findRequiredCapabilities(extensions)?.proposalTypes;
  if (required?.includes(DraftProposalType.appDataUpdate) !== true) return;
  const before = findExtension(extensions, DraftExtensionType.appDataDictionary);
  for (const { proposal } of proposals) {
    if (proposal.proposalType !== ProposalType.groupContextExtensions) continue;
    const after = findExtension(proposal.extensions, DraftExtensionType.appDataDictionary);
    const same = before === undefined || after === undefined ? before === after : equalBytes(before, after);
    if (same) continue;
    throw new CoppiceError("ERR_MLS_PROPOSAL", "A GroupContextExtensions changes the data of components", {
      requirement: "X-4.7-6",
    });
  }
}

/** A group of any size as a store has it, made cheaply: two members send, all others are leaves that nobody checks. */
import { randomBytes } from "@coppice/kit";
import type { FormerMembers, GroupState, MessagingState } from "../../src/state/group-state.ts";
import { createSecretTree } from "../../src/schedule/secret-tree.ts";
import type { RecordChanges } from "../../src/state/diff-records.ts";
import { diffGroupRecords } from "../../src/state/diff-records.ts";
import { GROUP_RECORDS } from "../../src/state/record-names.ts";
import { restoreMessaging } from "../../src/state/restore-records.ts";
import type { LeafNode } from "../../src/tree/leaf-node.ts";
import { RatchetTree } from "../../src/tree/ratchet-tree.ts";
import type { LeafIndex, NodeIndex } from "../../src/tree/tree-math.ts";
import { directPath, isLeaf, leafToNode, nodeToLeaf, paddedLeafCount } from "../../src/tree/tree-math.ts";
import type { Member } from "./group.ts";
import { at, Group } from "./group.ts";

/** A store that counts. */
export class CountingStore {
  readonly records: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  read = { records: 0, bytes: 0 };
  written = { put: 0, deleted: 0, bytes: 0 };

  constructor(state?: GroupState) {
    if (state !== undefined) this.write(diffGroupRecords(undefined, state));
    this.reset();
  }

  reset(): void {
    this.read = { records: 0, bytes: 0 };
    this.written = { put: 0, deleted: 0, bytes: 0 };
  }

  select(wanted: (name: string) => boolean): Map<string, Uint8Array> {
    const found = new Map([...this.records].filter(([name]) => wanted(name)));
    this.read.records += found.size;
    for (const [name, { length }] of found) this.read.bytes += name.length + length;
    return found;
  }

  get(names: readonly string[]): Map<string, Uint8Array> {
    const wanted = new Set(names);
    return this.select((name) => wanted.has(name));
  }

  write({ put, delete: gone }: RecordChanges): void {
    for (const name of gone) {
      this.records.delete(name);
      this.written.deleted++;
    }
    for (const [name, value] of put) {
      this.records.set(name, value);
      this.written.put++;
      this.written.bytes += name.length + value.length;
    }
  }

  messaging(): Promise<MessagingState> {
    return restoreMessaging(this.select((name) => name.startsWith(GROUP_RECORDS.messaging)));
  }
}

interface LargeGroup {
  /** At the first leaf and at the last one. */
  readonly alice: Member;
  readonly bob: Member;
  /** Messages of the epoch before open, too, and half of its members were others. */
  readonly before: GroupState["context"];
}

/** A group of `size` members in which nobody has sent anything. */
export async function largeGroup(size: number): Promise<LargeGroup> {
  const group = await Group.of(["alice", "bob"]);
  const [alice, bob] = [group.member("alice"), group.member("bob")];
  const leafCount = paddedLeafCount(size);
  const [model, lastLeaf] = [leafOf(alice), leafOf(bob)];
  const stranger = (): LeafNode => ({ ...model, encryptionKey: randomBytes(32), signatureKey: randomBytes(32) });
  const tree = RatchetTree.fromNodes(leafCount, (index) => {
    if (!isLeaf(index)) return undefined;
    const leaf = nodeToLeaf(index);
    if (leaf >= size) return undefined;
    const leafNode = leaf === 0 ? model : leaf === size - 1 ? lastLeaf : stranger();
    return { nodeType: "leaf", leafNode };
  });
  const former: FormerMembers = {
    members: new Map(Array.from({ length: size >> 1 }, (_, i) => [2 * i + 1, i === 0 ? undefined : stranger()])),
    loaded: undefined,
  };
  const [encryptionSecret, pastSecret, senderDataSecret] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const context = { ...alice.state.context, epoch: 2n };
  const before = { ...context, epoch: 1n };
  for (const [member, seat] of [[alice, 0] as const, [bob, size - 1] as const]) {
    const leafIndex = seat as LeafIndex;
    const path: NodeIndex[] = [leafToNode(leafIndex), ...directPath(leafToNode(leafIndex), leafCount)];
    const [pair] = member.state.privateKeys.values();
    if (pair === undefined) throw new RangeError("a member has private keys");
    member.state = {
      ...member.state,
      context,
      tree,
      leafIndex,
      privateKeys: new Map(path.map((node) => [node, pair])),
      secretTree: createSecretTree(encryptionSecret.slice(), leafCount),
      pastEpochs: [
        {
          context: before,
          senderDataSecret: senderDataSecret.slice(),
          secretTree: createSecretTree(pastSecret.slice(), leafCount),
          former: seat === 0 ? { ...former, members: new Map(former.members).set(size - 1, leafOf(bob)) } : former,
        },
      ],
    };
  }
  return { alice, bob, before };
}

const leafOf = ({ state }: Member): LeafNode => {
  const leaf = state.tree.leaf(state.leafIndex);
  if (leaf === undefined) throw new RangeError("a member has a leaf");
  return leaf;
};

/** The member's state as it was in the epoch before, for sending late messages. */
export function lateState({ state }: Member): GroupState {
  const past = at(state.pastEpochs, 0);
  const secrets = { ...state.secrets, senderDataSecret: past.senderDataSecret };
  return { ...state, context: past.context, secrets, secretTree: past.secretTree, pastEpochs: [] };
}

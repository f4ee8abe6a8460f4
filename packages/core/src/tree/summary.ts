/** What a subtree contains, kept per node so that capability rules (RFC 9420 §7.3) need no walk over all members. */
import type { LeafNode } from "./leaf-node.ts";

export interface Summary {
  /** No node at all, neither leaf nor parent. */
  readonly blank: boolean;
  /** Non-blank leaves. */
  readonly leafCount: number;
  /** Credential types in use, ascending. */
  readonly credentialTypes: readonly number[];
  /** What every leaf supports, ascending; undefined if there is no leaf. */
  readonly supported:
    | {
        readonly extensions: readonly number[];
        readonly proposals: readonly number[];
        readonly credentials: readonly number[];
      }
    | undefined;
}

const BLANK: Summary = { blank: true, leafCount: 0, credentialTypes: [], supported: undefined };

const ascending = (values: Iterable<number>): readonly number[] => [...new Set(values)].sort((a, b) => a - b);

/** Of lists that were read: equal ones are one object. */
const sorted = new WeakMap<readonly number[], readonly number[]>();

function sortedList(list: readonly number[]): readonly number[] {
  let ordered = sorted.get(list);
  if (ordered === undefined) sorted.set(list, (ordered = ascending(list)));
  return ordered;
}

const same = (a: readonly number[], b: readonly number[]): boolean =>
  a === b || (a.length === b.length && a.every((value, i) => value === b[i]));

// Lists are ascending, so that one pass over both is enough.

/** Equal lists stay one object, so that members with like capabilities cost nothing. */
const union = (a: readonly number[], b: readonly number[]): readonly number[] =>
  same(a, b) ? a : ascending([...a, ...b]);

const intersection = (a: readonly number[], b: readonly number[]): readonly number[] => {
  if (same(a, b)) return a;
  const common: number[] = [];
  let at = 0;
  for (const value of a) {
    while ((b[at] ?? value) < value) at++;
    if (b[at] === value) common.push(value);
  }
  return common;
};

export function summarizeLeaf(leaf: LeafNode | undefined): Summary {
  if (leaf === undefined) return BLANK;
  const { extensions, proposals, credentials } = leaf.capabilities;
  return {
    blank: false,
    leafCount: 1,
    credentialTypes: [leaf.credential.credentialType],
    supported: {
      extensions: sortedList(extensions),
      proposals: sortedList(proposals),
      credentials: sortedList(credentials),
    },
  };
}

export function joinSummaries(left: Summary, right: Summary, filled: boolean): Summary {
  const supported =
    left.supported === undefined || right.supported === undefined
      ? (left.supported ?? right.supported)
      : {
          extensions: intersection(left.supported.extensions, right.supported.extensions),
          proposals: intersection(left.supported.proposals, right.supported.proposals),
          credentials: intersection(left.supported.credentials, right.supported.credentials),
        };
  return {
    blank: left.blank && right.blank && !filled,
    leafCount: left.leafCount + right.leafCount,
    credentialTypes: union(left.credentialTypes, right.credentialTypes),
    supported,
  };
}

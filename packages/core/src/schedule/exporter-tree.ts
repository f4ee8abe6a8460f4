/**
 * The exporter tree of an epoch (draft-ietf-mls-extensions-10 §4.4), as a state keeps it. Taking secrets from it is in
 * `drafts/extensions/exporter-tree.ts`: a state without that draft has none.
 */
import type { Bytes } from "../codec/bytes.ts";
import { type NodeIndex, root } from "../tree/tree-math.ts";

/** One leaf for each ComponentID, a uint16. */
export const EXPORTER_LEAVES: number = 2 ** 16;

/** Secrets by the index of their node, `Nh` bytes each: none of them is above another, and below none is a secret that was taken. */
export type ExporterTree = ReadonlyMap<NodeIndex, Bytes>;

/** The whole tree. Takes over the secret; undefined if there is none. */
export const createExporterTree = (applicationExportSecret: Bytes | undefined): ExporterTree | undefined =>
  applicationExportSecret && new Map([[root(EXPORTER_LEAVES), applicationExportSecret]]);

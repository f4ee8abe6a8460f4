/** Message bytes as text. */

const decoder = new TextDecoder("utf-8", { fatal: true });

/** The text of a message, or undefined if the bytes are not UTF-8: other applications may share a group with this one. */
export function textOf(data: Uint8Array): string | undefined {
  try {
    return decoder.decode(data);
  } catch {
    return undefined;
  }
}

/** The text of a message for one line: line breaks become spaces, and it is cut at `length` characters. */
export function previewOf(data: Uint8Array, length = 120): string {
  // Four bytes hold any character: no need to decode 64 KiB for a line. A cut character at the end is dropped below.
  const text = new TextDecoder().decode(data.subarray(0, length * 4));
  const line = text.replace(/\s+/gu, " ").trim();
  return Array.from(line).slice(0, length).join("");
}

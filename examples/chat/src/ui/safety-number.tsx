import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ChatModel } from "../model/chat-model.ts";
import { dotPosition, groupsOf, shapes, tilesOf, type Tile } from "../safety-picture.ts";
import { Section } from "./section.tsx";

interface SafetyNumberProps {
  readonly chat: ChatModel;
  readonly value: string;
}

/** What the members compare, by voice or side by side, to know that nobody sits between them. */
export function SafetyNumber({ chat, value }: SafetyNumberProps): JSX.Element {
  const [copied, setCopied] = useState<string>();
  const groups = groupsOf(value);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(groups.join(" "));
      setCopied(value);
    } catch {
      chat.report("The browser did not allow copying. Select the number and copy it yourself.");
    }
  };
  return (
    <Section title="Safety number">
      <svg
        class="safety-picture"
        viewBox="0 0 112 84"
        role="img"
        aria-label="The safety number as a picture of twelve tiles"
      >
        {tilesOf(value).map((tile, index) => (
          <TileDrawing key={index} tile={tile} column={index % 4} row={Math.floor(index / 4)} />
        ))}
      </svg>
      <p class="safety-groups" role="group" aria-label="Safety number">
        {groups.map((group, index) => (
          <span key={index}>{group} </span>
        ))}
      </p>
      <p class="help">
        If everyone sees the same number, or the same picture, nobody sits in between. It stays the same while the same
        people are in the group, whatever devices they use.
      </p>
      <button type="button" class="button small" onClick={() => void copy()}>
        Copy
      </button>
      <span class="copied" role="status">
        {copied === value ? "Copied" : ""}
      </span>
    </Section>
  );
}

function TileDrawing({
  tile,
  column,
  row,
}: {
  readonly tile: Tile;
  readonly column: number;
  readonly row: number;
}): JSX.Element {
  const dot = dotPosition(tile.dotAt);
  return (
    <g transform={`translate(${column * 28 + 14} ${row * 28 + 14})`}>
      <rect class={`ground-${tile.ground}`} x="-13" y="-13" width="26" height="26" rx="5" />
      <path class={`ink-${tile.ink}`} d={shapes[tile.shape] ?? ""} fill-rule="evenodd" transform="scale(0.8)" />
      <circle class={`dot ink-${tile.dotInk}`} cx={dot.x} cy={dot.y} r="2.1" />
    </g>
  );
}

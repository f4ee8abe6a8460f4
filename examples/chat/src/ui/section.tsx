/** What the sections of the details panel have in common. */
import type { ComponentChildren, JSX, RefObject } from "preact";
import type { ConversationModel } from "../model/conversation-model.ts";
import { Problem } from "./pieces.tsx";

interface SectionProps {
  readonly title: string;
  /** For a section that may have to take the focus. */
  readonly heading?: RefObject<HTMLHeadingElement | null>;
  readonly children: ComponentChildren;
}

export function Section({ title, heading, children }: SectionProps): JSX.Element {
  return (
    <section class="details-section">
      <h3 ref={heading ?? null} tabIndex={-1}>
        {title}
      </h3>
      {children}
    </section>
  );
}

interface FailureProps {
  readonly model: ConversationModel;
  readonly operation: Parameters<ConversationModel["failureOf"]>[0];
}

/** Why the last attempt at something failed. */
export function Failure({ model, operation }: FailureProps): JSX.Element | null {
  const words = model.failureOf(operation);
  return words === undefined ? null : <Problem>{words}</Problem>;
}

/** What the sections of the details panel have in common. */
import type { ComponentChildren, JSX } from "preact";
import type { ConversationModel } from "../model/conversation-model.ts";
import { Problem } from "./pieces.tsx";

export function Section({
  title,
  children,
}: {
  readonly title: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="details-section">
      <h3>{title}</h3>
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

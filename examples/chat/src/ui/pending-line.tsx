import type { JSX } from "preact";
import type { ConversationModel } from "../model/conversation-model.ts";
import { pendingInWords } from "../wording.ts";
import { PhraseText, Spinner } from "./pieces.tsx";

/** The change to the group that is under way: "Adding carol… attempt 2". */
export function PendingLine({ model }: { readonly model: ConversationModel }): JSX.Element {
  const { pending } = model;
  return (
    <div class="pending" role="status" aria-label="Group change">
      {pending !== undefined && (
        <p>
          <Spinner />
          <span>
            <PhraseText phrase={pendingInWords(pending, pending.names)} />
          </span>
        </p>
      )}
    </div>
  );
}

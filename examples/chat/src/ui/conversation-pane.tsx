import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { codeInWords, errorInWords } from "../errors-in-words.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { titleOf } from "../wording.ts";
import { Composer } from "./composer.tsx";
import { DeleteDialog } from "./delete-dialog.tsx";
import { isDesk } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { MessageList } from "./message-list.tsx";
import { PendingLine } from "./pending-line.tsx";

interface ConversationPaneProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
  readonly detailsOpen: boolean;
  readonly detailsToggle: RefObject<HTMLButtonElement | null>;
  readonly onToggleDetails: () => void;
  readonly onBack: () => void;
}

export function ConversationPane(props: ConversationPaneProps): JSX.Element {
  const { chat, model, detailsOpen, detailsToggle, onToggleDetails, onBack } = props;
  const heading = useRef<HTMLHeadingElement>(null);
  const { snapshot } = model;
  const count = snapshot.memberCount;
  const usable = snapshot.status === "active" || snapshot.status === "recovering";

  useEffect(() => {
    // With a keyboard the composer takes the focus; a screen keyboard should not cover what is to be read.
    if (!isDesk() || model.snapshot.status !== "active") heading.current?.focus();
  }, [model]);

  return (
    <main class="conversation" aria-label="Conversation">
      <header class="pane-header">
        <button type="button" class="icon-button back" aria-label="Back to conversations" onClick={onBack}>
          <Icon name="back" />
        </button>
        <div class="conversation-title">
          <h2 ref={heading} tabIndex={-1}>
            <bdi>{titleOf(snapshot)}</bdi>
          </h2>
          <p class="subtitle">
            {usable ? `${count} ${count === 1 ? "member" : "members"}, end-to-end encrypted` : "No longer active"}
          </p>
        </div>
        <button
          ref={detailsToggle}
          type="button"
          class="icon-button"
          aria-label="Group details"
          title="Group details"
          aria-expanded={detailsOpen}
          onClick={onToggleDetails}
        >
          <Icon name="details" />
        </button>
      </header>
      <PendingLine model={model} />
      <MessageList chat={chat} model={model} />
      {snapshot.status === "recovering" && (
        <p class="recovering" role="status">
          Joining again under new keys. What you write is kept and sent afterwards.
        </p>
      )}
      {usable ? <Composer chat={chat} model={model} /> : <Ended chat={chat} model={model} />}
    </main>
  );
}

/** In the composer's place when nothing can be sent any more. */
function Ended({ chat, model }: { readonly chat: ChatModel; readonly model: ConversationModel }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const { status, problem } = model.snapshot;
  const canReturn = status === "broken" || status === "damaged";
  const rejoin = async (): Promise<void> => {
    try {
      await model.rejoin();
    } catch (error) {
      chat.report(errorInWords(error));
    }
  };
  return (
    <section class="ended" aria-label="Conversation status">
      {status === "removed" && <p>{model.hasLeft ? "You left" : "You were removed"}; you cannot read new messages.</p>}
      {status === "closed" && <p>This group has ended. What was written before stays readable here.</p>}
      {canReturn && <p>This conversation cannot go on. {codeInWords(problem ?? "ERR_MLS_CONFIRMATION")}</p>}
      {canReturn && (
        <button type="button" class="button small primary" onClick={() => void rejoin()}>
          Join again
        </button>
      )}
      <button
        type="button"
        class="button small"
        onClick={() => {
          setAsking(true);
        }}
      >
        Delete from this device
      </button>
      {asking && (
        <DeleteDialog
          chat={chat}
          model={model}
          onClose={() => {
            setAsking(false);
          }}
        />
      )}
    </section>
  );
}

import type { JSX, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { codeInWords, errorInWords } from "../errors-in-words.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { titleOf } from "../wording.ts";
import { Composer } from "./composer.tsx";
import { ConfirmDialog } from "./dialog.tsx";
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
  const count = snapshot.members.length;

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
            {snapshot.status === "active"
              ? `${count} ${count === 1 ? "member" : "members"}, end-to-end encrypted`
              : "No longer active"}
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
      {snapshot.status === "active" ? <Composer chat={chat} model={model} /> : <Ended chat={chat} model={model} />}
    </main>
  );
}

/** In the composer's place when nothing can be sent any more. */
function Ended({ chat, model }: { readonly chat: ChatModel; readonly model: ConversationModel }): JSX.Element {
  const [asking, setAsking] = useState(false);
  const { status, problem } = model.snapshot;
  const forget = async (): Promise<void> => {
    try {
      await chat.forget(model);
    } catch (error) {
      chat.report(errorInWords(error));
    }
  };
  return (
    <section class="ended" aria-label="Conversation status">
      {status === "removed" && <p>{model.hasLeft ? "You left" : "You were removed"}; you cannot read new messages.</p>}
      {status === "closed" && <p>This group has ended. What was written before stays readable here.</p>}
      {status === "broken" && <p>This conversation cannot go on. {codeInWords(problem ?? "ERR_MLS_CONFIRMATION")}</p>}
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
        <ConfirmDialog
          title="Delete this conversation?"
          action="Delete"
          onClose={() => {
            setAsking(false);
          }}
          onConfirm={() => void forget()}
        >
          <p>Its messages and keys are deleted from this device and cannot be brought back.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

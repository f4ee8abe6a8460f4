import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { codeInWords } from "../errors-in-words.ts";
import { previewOf } from "../message-text.ts";
import type { ChatModel } from "../model/chat-model.ts";
import { countedItems, type ConversationModel } from "../model/conversation-model.ts";
import { changeInWords, isolate, phraseAsText, shortMoment, titleOf } from "../wording.ts";
import { Icon } from "./icons.tsx";
import { Avatar } from "./pieces.tsx";
import { ThemeToggle } from "./theme-toggle.tsx";

interface ConversationListProps {
  readonly chat: ChatModel;
  readonly onSelect: (id: string) => void;
  readonly onCreate: () => void;
  readonly onSignOut: () => void;
}

export function ConversationList({ chat, onSelect, onCreate, onSignOut }: ConversationListProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  const nothingSelected = chat.selected === undefined;
  // Signing in or closing a conversation took the focused element away.
  useEffect(() => {
    if (nothingSelected && document.activeElement === document.body) heading.current?.focus();
  }, [nothingSelected]);

  return (
    <nav class="sidebar" aria-label="Conversations">
      <header class="pane-header">
        <span class="brand-mark small">
          <Icon name="leaf" />
        </span>
        <h1 ref={heading} tabIndex={-1}>
          Coppice
        </h1>
        <button type="button" class="button small" onClick={onCreate}>
          <Icon name="plus" />
          New group
        </button>
      </header>
      <ul class="conversations" role="list">
        {chat.conversations.map((model) => (
          <ConversationEntry
            key={model.id}
            model={model}
            self={chat.client.name}
            current={model === chat.selected}
            onSelect={onSelect}
          />
        ))}
      </ul>
      {chat.conversations.length === 0 && <p class="sidebar-hint">No conversations yet.</p>}
      <footer class="account">
        <Avatar name={chat.client.name} />
        <span class="account-name">
          <bdi>{chat.client.name}</bdi>
          <span class={`presence ${chat.online ? "online" : ""}`}>{chat.online ? "Online" : "Offline"}</span>
        </span>
        <ThemeToggle />
        <button type="button" class="button small quiet" onClick={onSignOut}>
          Sign out
        </button>
      </footer>
    </nav>
  );
}

interface ConversationEntryProps {
  readonly model: ConversationModel;
  readonly self: string;
  readonly current: boolean;
  readonly onSelect: (id: string) => void;
}

function ConversationEntry({ model, self, current, onSelect }: ConversationEntryProps): JSX.Element {
  const { latest, snapshot, unread } = model;
  const title = titleOf(snapshot);
  return (
    <li>
      <button
        type="button"
        class={`conversation-entry ${unread > 0 ? "unread" : ""}`}
        aria-current={current ? "true" : undefined}
        onClick={() => {
          onSelect(model.id);
        }}
      >
        <Avatar name={title} large />
        <span class="entry-title">
          <bdi>{title}</bdi>
        </span>
        {latest !== undefined && <span class="entry-time">{shortMoment(latest.at, Date.now())}</span>}
        <span class="entry-preview" dir="auto">
          {previewOfModel(model, self)}
        </span>
        {unread > 0 && (
          <span class="badge">
            {unread >= countedItems ? `${countedItems - 1}+` : unread}
            <span class="visually-hidden"> unread</span>
          </span>
        )}
      </button>
    </li>
  );
}

/** One line about the state or, if that is as usual, the latest item. */
function previewOfModel(model: ConversationModel, self: string): string {
  const { latest, snapshot } = model;
  switch (snapshot.status) {
    case "removed":
      return model.hasLeft ? "You left" : "You were removed";
    case "closed":
      return "This group has ended";
    case "broken":
    case "damaged":
      return "Needs your attention";
    case "recovering":
      return "Joining again…";
    case "active":
      break;
  }
  if (model.isNewInvitation) return `${isolate(snapshot.invitedBy ?? "")} invited you`;
  switch (latest?.kind) {
    case undefined:
      return model.isLoading ? "" : "No messages yet";
    case "message":
      return `${latest.isSelf ? "You" : isolate(latest.sender)}: ${previewOf(latest.data)}`;
    case "change":
      return phraseAsText(changeInWords(latest, self));
    case "undecryptable":
      return codeInWords(latest.problem);
    case "gap":
      return "Joined again; something may be missing";
  }
}

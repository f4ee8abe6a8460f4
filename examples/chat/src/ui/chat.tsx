/** The signed-in screen: conversations, the open one, and its details; one pane at a time on narrow screens. */
import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { ChatModel } from "../model/chat-model.ts";
import { Banners, Notices } from "./banners.tsx";
import { ConversationList } from "./conversation-list.tsx";
import { ConversationPane } from "./conversation-pane.tsx";
import { CreateGroupDialog } from "./create-group-dialog.tsx";
import { DetailsPanel } from "./details-panel.tsx";
import { ConfirmDialog } from "./dialog.tsx";
import { isDesk, useChanges } from "./hooks.ts";
import { Icon } from "./icons.tsx";

/** After a dialog was closed, which gives the focus back to the button that opened it. */
function focusComposer(): void {
  requestAnimationFrame(() => {
    document.querySelector<HTMLTextAreaElement>(".composer textarea")?.focus();
  });
}

interface ChatProps {
  readonly chat: ChatModel;
  readonly onSignOut: () => void;
}

export function Chat({ chat, onSignOut }: ChatProps): JSX.Element {
  useChanges(chat);
  const [detailsOpen, setDetailsOpen] = useState(false);
  const [dialog, setDialog] = useState<"create-group" | "sign-out">();
  const detailsToggle = useRef<HTMLButtonElement>(null);
  const { selected } = chat;
  const selectedId = selected?.id;

  // The address holds the open conversation: reload stays there, and a phone's back gesture leads to the list.
  useEffect(() => {
    const follow = (): void => {
      chat.select(location.hash.slice(1));
      if (!isDesk()) setDetailsOpen(false);
    };
    follow();
    addEventListener("popstate", follow);
    return () => {
      removeEventListener("popstate", follow);
    };
  }, [chat]);
  useEffect(() => {
    const hash = selectedId === undefined ? "" : `#${selectedId}`;
    if (location.hash !== hash) history.pushState(null, "", `${location.pathname}${location.search}${hash}`);
  }, [selectedId]);

  const { unread } = chat;
  useEffect(() => {
    document.title = unread === 0 ? "Coppice chat" : `(${unread}) Coppice chat`;
  }, [unread]);

  const select = useCallback(
    (id: string | undefined): void => {
      chat.select(id);
      if (!isDesk()) setDetailsOpen(false);
    },
    [chat],
  );
  const closeDetails = useCallback((): void => {
    setDetailsOpen(false);
    detailsToggle.current?.focus();
  }, []);
  const closeDialog = useCallback((): void => {
    setDialog(undefined);
  }, []);

  const pane = selected === undefined ? "list" : detailsOpen ? "details" : "conversation";
  return (
    <div class="chat" data-pane={pane}>
      <Banners chat={chat} onSelect={select} />
      <div class="panes">
        <ConversationList
          chat={chat}
          onSelect={select}
          onCreate={() => {
            setDialog("create-group");
          }}
          onSignOut={() => {
            setDialog("sign-out");
          }}
        />
        {selected === undefined ? (
          <main class="conversation empty">
            <div class="placeholder">
              <Icon name="leaf" />
              <p>
                {chat.conversations.length === 0
                  ? "Create a group, or ask someone to invite you by your name."
                  : "Choose a conversation."}
              </p>
            </div>
          </main>
        ) : (
          <ConversationPane
            key={selected.id}
            chat={chat}
            model={selected}
            detailsOpen={detailsOpen}
            detailsToggle={detailsToggle}
            onToggleDetails={() => {
              setDetailsOpen(!detailsOpen);
            }}
            onBack={() => {
              select(undefined);
            }}
          />
        )}
        {selected !== undefined && detailsOpen && (
          <DetailsPanel key={selected.id} chat={chat} model={selected} onClose={closeDetails} />
        )}
      </div>
      <Notices chat={chat} />
      <div class="visually-hidden" role="status" aria-label="Announcements">
        {chat.announcement}
      </div>
      {dialog === "create-group" && <CreateGroupDialog chat={chat} onClose={closeDialog} onCreated={focusComposer} />}
      {dialog === "sign-out" && (
        <ConfirmDialog title="Sign out?" action="Sign out now" onClose={closeDialog} onConfirm={onSignOut}>
          <p>
            Your keys and messages stay on this device, encrypted, under the name <bdi>{chat.client.name}</bdi>. Sign in
            with that name in this browser to go on where you were.
          </p>
          <p>
            While you are signed out, nothing is received or sent here. To delete everything, clear this site’s data in
            the browser’s settings; the account cannot be brought back after that.
          </p>
        </ConfirmDialog>
      )}
    </div>
  );
}

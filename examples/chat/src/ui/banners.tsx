import type { JSX } from "preact";
import type { ChatModel } from "../model/chat-model.ts";
import { titleOf } from "../wording.ts";
import { Icon } from "./icons.tsx";

interface BannersProps {
  readonly chat: ChatModel;
  readonly onSelect: (id: string) => void;
}

/** What concerns the whole chat: no connection, new invitations. */
export function Banners({ chat, onSelect }: BannersProps): JSX.Element {
  return (
    <div class="banners">
      <div role="status">
        {!chat.online && (
          <p class="banner offline">You are offline. Messages you write are kept and will be sent when you are back.</p>
        )}
      </div>
      {chat.invitations.slice(0, 3).map((model) => (
        <section key={model.id} class="banner invitation" aria-label="Invitation">
          <p>
            <bdi>{model.snapshot.invitedBy}</bdi> invited you to <bdi>{titleOf(model.snapshot)}</bdi>
          </p>
          {chat.selected !== model && (
            <button
              type="button"
              class="button small"
              onClick={() => {
                onSelect(model.id);
              }}
            >
              Open
            </button>
          )}
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss invitation"
            onClick={() => {
              model.notice();
            }}
          >
            <Icon name="close" />
          </button>
        </section>
      ))}
    </div>
  );
}

/** What went wrong, above everything else until it is dismissed. */
export function Notices({ chat }: { readonly chat: ChatModel }): JSX.Element {
  return (
    <div class="notices" role="alert">
      {chat.notices.map((notice) => (
        <div key={notice.id} class="notice">
          <p>{notice.text}</p>
          <button
            type="button"
            class="icon-button"
            aria-label="Dismiss"
            onClick={() => {
              chat.dismiss(notice.id);
            }}
          >
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}

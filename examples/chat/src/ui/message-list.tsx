import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { errorInWords } from "../errors-in-words.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { arrange } from "../model/timeline.ts";
import { dayInWords } from "../wording.ts";
import { Icon } from "./icons.tsx";
import { MessageRow, NoticeRow } from "./message-row.tsx";

/** This close to the newest message counts as being there, CSS pixels. */
const bottomTolerance = 48;
/** Older messages are read when the person comes this close to the first one, CSS pixels. */
const topMargin = 300;

interface MessageListProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
}

/**
 * Keeps what is being read in its place: at the newest message it follows new ones; anywhere else nothing moves,
 * whether messages arrive below or older ones are put in above. (Not left to scroll anchoring: WebKit has none.)
 */
export function MessageList({ chat, model }: MessageListProps): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const before = useRef({ firstSeq: 0, height: 0, placed: false });
  const [follows, setFollows] = useState(true);
  const { items, unreadFrom } = model;
  const rows = useMemo(() => arrange(items, unreadFrom), [items, unreadFrom]);
  const firstSeq = items[0]?.seq ?? 0;

  const loadOlder = (): void => {
    model.loadOlder().catch((error: unknown) => {
      chat.report(errorInWords(error));
    });
  };
  const measure = (): void => {
    const element = scroller.current;
    if (element === null) return;
    const atBottom = element.scrollHeight - element.scrollTop - element.clientHeight < bottomTolerance;
    model.followsNewest = atBottom;
    setFollows(atBottom);
    if (atBottom && document.visibilityState === "visible") model.markSeen();
  };

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || items.length === 0) return;
    const last = before.current;
    const unreadLine = last.placed ? null : element.querySelector<HTMLElement>(".unread-line");
    if (unreadLine !== null) {
      element.scrollTop = unreadLine.offsetTop - 96;
    } else if (model.followsNewest) {
      element.scrollTop = element.scrollHeight;
    } else if (firstSeq < last.firstSeq) {
      element.scrollTop += element.scrollHeight - last.height;
    }
    before.current = { firstSeq, height: element.scrollHeight, placed: last.placed || !model.isLoading };
    measure();
  }, [rows, model.isLoading]);

  // The composer grows, a phone's keyboard opens, a font arrives: the newest message stays in view.
  useEffect(() => {
    const element = scroller.current;
    if (element === null || list.current === null) return undefined;
    const observer = new ResizeObserver(() => {
      if (model.followsNewest) element.scrollTop = element.scrollHeight;
      before.current = { ...before.current, height: element.scrollHeight };
    });
    observer.observe(element);
    observer.observe(list.current);
    document.addEventListener("visibilitychange", measure);
    return () => {
      observer.disconnect();
      document.removeEventListener("visibilitychange", measure);
    };
  }, [model]);

  const toNewest = (): void => {
    const element = scroller.current;
    if (element !== null) element.scrollTop = element.scrollHeight;
    measure();
    element?.focus();
  };
  const { unread } = model;
  return (
    <div class="messages-frame">
      <div
        ref={scroller}
        class="messages"
        role="region"
        aria-label="Messages"
        tabIndex={0}
        onScroll={(event) => {
          measure();
          if (event.currentTarget.scrollTop < topMargin && model.hasOlder && !model.isLoading) loadOlder();
        }}
      >
        {model.hasOlder && (
          <button
            type="button"
            class="button small quiet load-older"
            aria-disabled={model.isLoading}
            onClick={loadOlder}
          >
            {model.isLoading ? "Loading…" : "Load older messages"}
          </button>
        )}
        <ol ref={list} role="list">
          {rows.map((row) => {
            switch (row.kind) {
              case "day":
                return (
                  <li key={row.key} class="day-line">
                    <span>{dayInWords(row.at, Date.now())}</span>
                  </li>
                );
              case "unread":
                return (
                  <li key={row.key} class="unread-line">
                    <span>New messages</span>
                  </li>
                );
              case "message":
                return (
                  <MessageRow
                    key={row.key}
                    chat={chat}
                    model={model}
                    item={row.item}
                    startsGroup={row.startsGroup}
                    endsGroup={row.endsGroup}
                  />
                );
              case "notice":
                return <NoticeRow key={row.key} item={row.item} self={chat.client.name} />;
            }
          })}
        </ol>
        {items.length === 0 && !model.isLoading && (
          <p class="nothing-yet">Nothing here yet. Messages are encrypted on your device before they leave it.</p>
        )}
      </div>
      {!follows && (
        <button type="button" class="button small to-newest" onClick={toNewest}>
          <Icon name="down" />
          {unread > 0 ? `${unread} new` : "Newest"}
          <span class="visually-hidden"> messages: go to the end</span>
        </button>
      )}
    </div>
  );
}

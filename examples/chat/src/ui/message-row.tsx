import type { HistoryItem } from "coppice";
import { Component, type ComponentChildren, type JSX } from "preact";
import { codeInWords, errorInWords } from "../errors-in-words.ts";
import { textOf } from "../message-text.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import type { MessageItem } from "../model/timeline.ts";
import { changeInWords, momentInWords, timeInWords } from "../wording.ts";
import { Icon } from "./icons.tsx";
import { Avatar, PhraseText } from "./pieces.tsx";

interface MessageRowProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
  readonly item: MessageItem;
  readonly startsGroup: boolean;
  readonly endsGroup: boolean;
}

/** A message. Drawn again only if something about it changed: there are hundreds of them. */
export class MessageRow extends Component<MessageRowProps> {
  override shouldComponentUpdate(next: MessageRowProps): boolean {
    const { item, startsGroup, endsGroup } = this.props;
    return next.item !== item || next.startsGroup !== startsGroup || next.endsGroup !== endsGroup;
  }

  override render(): ComponentChildren {
    const { item, startsGroup, endsGroup } = this.props;
    const text = textOf(item.data);
    const classes = ["message", item.isSelf && "own", startsGroup && "starts", endsGroup && "ends", item.state];
    const metaShown = endsGroup || item.state !== "sent";
    return (
      <li
        class={classes.filter(Boolean).join(" ")}
        aria-label={`${item.sender}${item.isSelf ? " (you)" : ""}, ${timeInWords(item.at)}`}
      >
        {startsGroup && !item.isSelf && (
          <p class="sender">
            <Avatar name={item.sender} />
            <bdi>{item.sender}</bdi>
          </p>
        )}
        {text === undefined ? (
          <p class="bubble not-text">A message of {item.data.length} bytes that is not text</p>
        ) : (
          <p class="bubble" dir="auto">
            {text}
          </p>
        )}
        <p class={metaShown ? "meta" : "visually-hidden"}>
          <time dateTime={new Date(item.at).toISOString()} title={momentInWords(item.at)}>
            {timeInWords(item.at)}
          </time>
          {item.isSelf && <StateOfDelivery item={item} />}
        </p>
        {item.state === "failed" && this.#failure(item)}
      </li>
    );
  }

  #failure(item: MessageItem): JSX.Element {
    return (
      <div class="failure">
        <p>{codeInWords(item.problem ?? "ERR_DS_UNREACHABLE")}</p>
        <button
          type="button"
          class="button small"
          onClick={() => void this.#try((model) => model.conversation.resend(item.seq))}
        >
          Retry
        </button>
        <button
          type="button"
          class="button small quiet"
          onClick={() => void this.#try((model) => model.conversation.discard(item.seq))}
        >
          Discard
        </button>
      </div>
    );
  }

  async #try(work: (model: ConversationModel) => Promise<void>): Promise<void> {
    const { chat, model } = this.props;
    try {
      await work(model);
    } catch (error) {
      chat.report(errorInWords(error));
    }
  }
}

const stateWords = { sending: "Sending…", sent: "Sent", failed: "Failed" } as const;

function StateOfDelivery({ item }: { readonly item: MessageItem }): JSX.Element {
  return (
    <span class="state">
      {item.state === "sent" && <Icon name="sent" />}
      {stateWords[item.state]}
    </span>
  );
}

interface NoticeRowProps {
  readonly item: Exclude<HistoryItem, MessageItem>;
  readonly self: string;
}

/** A change to the group, a message that could not be read, or a gap. */
export function NoticeRow({ item, self }: NoticeRowProps): JSX.Element {
  return (
    <li class={`notice-row ${item.kind}`} title={momentInWords(item.at)}>
      <span>
        {item.kind === "change" && <PhraseText phrase={changeInWords(item, self)} />}
        {item.kind === "undecryptable" && (
          <>
            <strong>Unreadable message.</strong> {codeInWords(item.problem)}
          </>
        )}
        {item.kind === "gap" && (
          <>
            <strong>You joined again.</strong> What others wrote in between may be missing here.
          </>
        )}
      </span>
    </li>
  );
}

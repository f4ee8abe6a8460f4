import type { JSX } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { errorInWords } from "../errors-in-words.ts";
import { checkMessage } from "../limits.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { isDesk } from "./hooks.ts";
import { Icon } from "./icons.tsx";

interface ComposerProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
}

/** Enter sends, Shift+Enter starts a line. What was written stays with its conversation until it is sent. */
export function Composer({ chat, model }: ComposerProps): JSX.Element {
  const [text, setText] = useState(model.draft);
  const field = useRef<HTMLTextAreaElement>(null);
  const adviceId = useId();
  const check = checkMessage(text);

  useEffect(() => {
    if (isDesk()) field.current?.focus();
  }, [model]);

  const write = (value: string): void => {
    model.draft = value;
    setText(value);
  };

  const send = async (): Promise<void> => {
    if (!check.canSend) return;
    write("");
    // The person who writes wants to see it, wherever they had scrolled to.
    model.followsNewest = true;
    field.current?.focus();
    try {
      await model.send(text);
    } catch (error) {
      chat.report(errorInWords(error));
      // Not over something that was begun meanwhile.
      if (model.draft === "") write(text);
    }
  };

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <div class={`composer-box ${check.tooLong ? "too-long" : ""}`}>
        <textarea
          ref={field}
          aria-label="Message"
          placeholder="Write a message"
          aria-describedby={adviceId}
          aria-invalid={check.tooLong}
          rows={Math.min(8, text.split("\n", 8).length)}
          dir="auto"
          value={text}
          onInput={(event) => {
            write(event.currentTarget.value);
          }}
          onKeyDown={(event) => {
            // Enter also ends the composition of a character: then it is not meant for us.
            if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
            event.preventDefault();
            void send();
          }}
        />
        <button type="submit" class="send" aria-label="Send" title="Send" disabled={!check.canSend}>
          <Icon name="send" />
        </button>
      </div>
      <p class={`composer-advice ${check.tooLong ? "too-long" : ""}`} id={adviceId} role="status">
        {check.advice}
      </p>
    </form>
  );
}

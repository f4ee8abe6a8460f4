import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { problemWithTitle } from "../limits.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { titleOf } from "../wording.ts";
import { DeleteDialog } from "./delete-dialog.tsx";
import { ConfirmDialog } from "./dialog.tsx";
import { useFocusOnMount } from "./hooks.ts";
import { Icon } from "./icons.tsx";
import { MembersSection } from "./members-section.tsx";
import { Problem } from "./pieces.tsx";
import { PendingLine } from "./pending-line.tsx";
import { SafetyNumber } from "./safety-number.tsx";
import { Failure, Section } from "./section.tsx";

interface DetailsPanelProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
  readonly onClose: () => void;
}

export function DetailsPanel({ chat, model, onClose }: DetailsPanelProps): JSX.Element {
  const heading = useRef<HTMLHeadingElement>(null);
  useFocusOnMount(heading);
  const { snapshot } = model;
  const active = snapshot.status === "active";

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      // A dialog above the panel takes its own Escape.
      if (event.key === "Escape" && document.querySelector("dialog[open]") === null) onClose();
    };
    addEventListener("keydown", onKey);
    return () => {
      removeEventListener("keydown", onKey);
    };
  }, [onClose]);

  return (
    <aside class="details" aria-labelledby="details-heading" data-epoch={snapshot.epoch.toString()}>
      <header class="pane-header">
        <h2 ref={heading} tabIndex={-1} id="details-heading">
          Group details
        </h2>
        <button type="button" class="icon-button" aria-label="Close details" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <PendingLine model={model} />
      <div class="details-body">
        <Title model={model} active={active} />
        <MembersSection model={model} active={active} />
        <SafetyNumber chat={chat} value={model.members.safetyNumber} />
        <Section title="Keys">
          <p class="help">
            Every change to the group brings new keys. Refreshing yours locks out anyone who may have copied them.
          </p>
          <Failure model={model} operation="update" />
          {active && (
            <button type="button" class="button small" onClick={() => void model.refreshKeys()}>
              Refresh keys
            </button>
          )}
        </Section>
        {active && <Leave chat={chat} model={model} />}
      </div>
    </aside>
  );
}

function Title({ model, active }: { readonly model: ConversationModel; readonly active: boolean }): JSX.Element {
  const [title, setTitle] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const rename = async (next: string): Promise<void> => {
    const found = problemWithTitle(next);
    setProblem(found);
    if (found === undefined && (await model.rename(next))) setTitle(undefined);
  };
  if (title === undefined) {
    return (
      <div class="details-title">
        <p>
          <bdi>{titleOf(model.snapshot)}</bdi>
        </p>
        {active && (
          <button
            type="button"
            class="button small quiet"
            onClick={() => {
              setTitle(model.snapshot.title);
            }}
          >
            Rename
          </button>
        )}
      </div>
    );
  }
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void rename(title.trim());
      }}
    >
      <RenameField value={title} onInput={setTitle} />
      {problem !== undefined ? <Problem>{problem}</Problem> : <Failure model={model} operation="rename" />}
      <div class="form-actions">
        <button type="submit" class="button small primary">
          Save name
        </button>
        <button
          type="button"
          class="button small quiet"
          onClick={() => {
            setTitle(undefined);
            model.forgetFailureOf("rename");
          }}
        >
          Cancel
        </button>
      </div>
    </form>
  );
}

function RenameField({
  value,
  onInput,
}: {
  readonly value: string;
  readonly onInput: (value: string) => void;
}): JSX.Element {
  const field = useRef<HTMLInputElement>(null);
  useFocusOnMount(field);
  return (
    <label class="field">
      <span>New name of the group</span>
      <input
        ref={field}
        type="text"
        autocomplete="off"
        value={value}
        onInput={(event) => {
          onInput(event.currentTarget.value);
        }}
      />
    </label>
  );
}

function Leave({ chat, model }: { readonly chat: ChatModel; readonly model: ConversationModel }): JSX.Element {
  const [asking, setAsking] = useState(false);
  // Nobody is left who could confirm it: the group goes from this device, and so from the world.
  if (model.snapshot.memberCount === 1) return <Delete chat={chat} model={model} />;
  return (
    <div class="details-section">
      <Failure model={model} operation="leave" />
      <button
        type="button"
        class="button small danger-quiet"
        onClick={() => {
          setAsking(true);
        }}
      >
        Leave group
      </button>
      {asking && (
        <ConfirmDialog
          title={
            <>
              Leave <bdi>{titleOf(model.snapshot)}</bdi>?
            </>
          }
          action="Leave"
          onClose={() => {
            setAsking(false);
          }}
          onConfirm={() => void model.leave()}
        >
          <p>You keep what you have received and get nothing new. Someone in the group can invite you again.</p>
        </ConfirmDialog>
      )}
    </div>
  );
}

/** A group of one is deleted rather than left. */
function Delete({ chat, model }: { readonly chat: ChatModel; readonly model: ConversationModel }): JSX.Element {
  const [asking, setAsking] = useState(false);
  return (
    <div class="details-section">
      <button
        type="button"
        class="button small danger-quiet"
        onClick={() => {
          setAsking(true);
        }}
      >
        Delete group
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
    </div>
  );
}

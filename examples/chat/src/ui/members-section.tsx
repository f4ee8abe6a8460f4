import type { Member } from "coppice";
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { parseNames } from "../limits.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { ConfirmDialog } from "./dialog.tsx";
import { Avatar, Problem } from "./pieces.tsx";
import { Failure, Section } from "./section.tsx";

interface MembersSectionProps {
  readonly model: ConversationModel;
  /** Whether members can be changed. */
  readonly active: boolean;
}

export function MembersSection({ model, active }: MembersSectionProps): JSX.Element {
  const [removing, setRemoving] = useState<string>();
  const heading = useRef<HTMLHeadingElement>(null);
  const { members } = model;
  const count = model.snapshot.memberCount;
  useEffect(() => {
    members.start();
    return () => {
      members.stop();
    };
  }, [members]);
  // A member that goes takes the button with the focus along.
  useEffect(() => {
    if (document.activeElement === document.body) heading.current?.focus();
  }, [count]);
  return (
    <Section title={`Members (${count})`} heading={heading}>
      <ul class="members" role="list" aria-label="Members">
        {members.list.map((member) => (
          <li key={member.user}>
            <Avatar name={member.user} />
            <span class="member-name">
              <bdi>{member.user}</bdi>
              <span class="member-devices">{remarkOf(member)}</span>
            </span>
            {active && !member.isSelf && (
              <button
                type="button"
                class="button small quiet"
                aria-label={`Remove ${member.user}`}
                onClick={() => {
                  setRemoving(member.user);
                }}
              >
                Remove
              </button>
            )}
          </li>
        ))}
      </ul>
      {members.hasMore && (
        <button
          type="button"
          class="button small quiet"
          onClick={() => {
            members.showMore();
          }}
        >
          Show more people
        </button>
      )}
      {members.problem !== undefined && <Problem>{members.problem}</Problem>}
      <Failure model={model} operation="remove" />
      {active && <AddForm model={model} />}
      {removing !== undefined && (
        <ConfirmDialog
          title={
            <>
              Remove <bdi>{removing}</bdi>?
            </>
          }
          action="Remove from group"
          onClose={() => {
            setRemoving(undefined);
          }}
          onConfirm={() => void model.remove(removing)}
        >
          <p>
            <bdi>{removing}</bdi> keeps what was received so far and cannot read anything that is written from then on.
          </p>
        </ConfirmDialog>
      )}
    </Section>
  );
}

/** "you", "2 devices", "you, 2 devices", or nothing. */
function remarkOf({ isSelf, devices }: Member): string {
  const count = devices.length > 1 ? [`${devices.length} devices`] : [];
  return [...(isSelf ? ["you"] : []), ...count].join(", ");
}

function AddForm({ model }: { readonly model: ConversationModel }): JSX.Element {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string>();
  const add = async (): Promise<void> => {
    const list = parseNames(text);
    const found = list.names.length === 0 ? "Enter the name of a person." : list.problem;
    setProblem(found);
    if (found !== undefined) return;
    setText("");
    // Back into the field, to be corrected, unless something else was written meanwhile.
    if (!(await model.add(list.names))) setText((current) => (current === "" ? text : current));
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void add();
      }}
    >
      <label class="field" for="add-person">
        <span>Add person</span>
      </label>
      <div class="field-with-button">
        <input
          id="add-person"
          type="text"
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value);
          }}
        />
        <button type="submit" class="button small">
          Add
        </button>
      </div>
      {problem !== undefined ? <Problem>{problem}</Problem> : <Failure model={model} operation="add" />}
    </form>
  );
}

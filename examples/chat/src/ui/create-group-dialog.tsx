import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { errorInWords } from "../errors-in-words.ts";
import { parseNames, problemWithTitle } from "../limits.ts";
import type { ChatModel } from "../model/chat-model.ts";
import { Dialog } from "./dialog.tsx";
import { Problem, Spinner } from "./pieces.tsx";

interface CreateGroupDialogProps {
  readonly chat: ChatModel;
  readonly onClose: () => void;
  /** Called after it was closed, when the group is there. */
  readonly onCreated: () => void;
}

export function CreateGroupDialog({ chat, onClose, onCreated }: CreateGroupDialogProps): JSX.Element {
  const [title, setTitle] = useState("");
  const [people, setPeople] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();

  const create = async (): Promise<void> => {
    if (busy) return;
    const list = parseNames(people);
    const names = list.names.filter((name) => name !== chat.client.name);
    const found = problemWithTitle(title.trim()) ?? list.problem;
    setProblem(found);
    if (found !== undefined) return;
    setBusy(true);
    try {
      await chat.createGroup(title.trim(), names);
      onClose();
      onCreated();
    } catch (error) {
      setProblem(errorInWords(error));
      setBusy(false);
    }
  };

  return (
    <Dialog title="New group" onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void create();
        }}
      >
        <label class="field">
          <span>Group name</span>
          <input
            type="text"
            autocomplete="off"
            value={title}
            onInput={(event) => {
              setTitle(event.currentTarget.value);
            }}
          />
        </label>
        <label class="field">
          <span>Invite people</span>
          <input
            type="text"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-describedby="invite-help"
            value={people}
            onInput={(event) => {
              setPeople(event.currentTarget.value);
            }}
          />
        </label>
        <p class="help" id="invite-help">
          Their names, separated by commas. You can add more people later.
        </p>
        {problem !== undefined && <Problem>{problem}</Problem>}
        <div class="dialog-actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button primary" aria-disabled={busy}>
            {busy && <Spinner />}
            {busy ? "Creating…" : "Create group"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

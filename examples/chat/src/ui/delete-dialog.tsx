import type { JSX } from "preact";
import { errorInWords } from "../errors-in-words.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { ConversationModel } from "../model/conversation-model.ts";
import { ConfirmDialog } from "./dialog.tsx";

interface DeleteDialogProps {
  readonly chat: ChatModel;
  readonly model: ConversationModel;
  readonly onClose: () => void;
}

/** Asks before a conversation is deleted from this device. */
export function DeleteDialog({ chat, model, onClose }: DeleteDialogProps): JSX.Element {
  const forget = async (): Promise<void> => {
    try {
      await chat.forget(model);
    } catch (error) {
      chat.report(errorInWords(error));
    }
  };
  return (
    <ConfirmDialog title="Delete this conversation?" action="Delete" onClose={onClose} onConfirm={() => void forget()}>
      <p>Its messages and keys are deleted from this device and cannot be brought back.</p>
    </ConfirmDialog>
  );
}

/** Faults that are planted to see that the explorer finds them: each is one line of the model that is otherwise. */

export const BUGS = {
  "no compare-and-swap": "a write goes through whatever was written since it was computed",
  "version reset by forget": "a partition that is cleared begins at version 0 again",
  "lock held over the request": "the lock of the turn that prepared a batch is kept until the answer is stored",
  "acknowledged before the write": "an invitation is acknowledged before the membership is stored",
  "sent before the answer": "a message is marked `sent` when it is posted",
  "thief does not read": "after a conflict the version is taken over, but not what was written with it",
  "retry under a new id": "a message whose answer was lost is sealed again as another message",
  "forget trusts what it knew":
    "what the account remembers of a conversation is what the context knew last, not what is stored",
  "leader trusts announcements":
    "a leader does not look at what is stored, neither when it begins to lead nor now and then",
} as const;

export type Bug = keyof typeof BUGS;

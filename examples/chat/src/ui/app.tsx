/** Signed out, opening, or chatting. */
import type { Client } from "coppice";
import type { JSX } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { errorInWords } from "../errors-in-words.ts";
import { ChatModel } from "../model/chat-model.ts";
import { account, conversationMemory } from "../preferences.ts";
import { Chat } from "./chat.tsx";
import { SignIn } from "./sign-in.tsx";

interface AppProps {
  /** Opens the account of a name on this device, creating it if need be. */
  readonly open: (name: string) => Promise<Client>;
}

type Session =
  | { readonly state: "signed-out"; readonly problem: string | undefined }
  | { readonly state: "opening"; readonly name: string }
  | { readonly state: "open"; readonly model: ChatModel };

export function App({ open }: AppProps): JSX.Element {
  const [session, setSession] = useState<Session>(() => {
    const { name, signedIn } = account;
    return signedIn && name !== undefined ? { state: "opening", name } : { state: "signed-out", problem: undefined };
  });
  const busy = useRef(false);

  const signIn = useCallback(
    async (name: string): Promise<void> => {
      // A second account must not be opened over the first by an impatient Enter.
      if (busy.current) return;
      busy.current = true;
      setSession({ state: "opening", name });
      try {
        const model = new ChatModel(await open(name), conversationMemory);
        account.signIn(name);
        setSession({ state: "open", model });
      } catch (error) {
        setSession({ state: "signed-out", problem: errorInWords(error) });
      } finally {
        busy.current = false;
      }
    },
    [open],
  );

  const signOut = useCallback(async (model: ChatModel): Promise<void> => {
    account.signOut();
    model.dispose();
    setSession({ state: "signed-out", problem: undefined });
    try {
      await model.client.close();
    } catch (error) {
      setSession({ state: "signed-out", problem: errorInWords(error) });
    }
  }, []);

  useEffect(() => {
    if (account.signedIn && account.name !== undefined) void signIn(account.name);
  }, [signIn]);

  const model = session.state === "open" ? session.model : undefined;
  useEffect(
    () => (model === undefined ? undefined : account.onSignOutElsewhere(() => void signOut(model))),
    [model, signOut],
  );

  if (model !== undefined) {
    return <Chat key={model.client.name} chat={model} onSignOut={() => void signOut(model)} />;
  }
  const opening = session.state === "opening";
  return (
    <SignIn
      initialName={(opening ? session.name : account.name) ?? ""}
      opening={opening}
      problem={session.state === "signed-out" ? session.problem : undefined}
      onSignIn={(name) => void signIn(name)}
    />
  );
}

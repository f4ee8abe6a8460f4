/** A client whose engine runs in this context, as an application holds it: the same kind of object as in a page. */
import type {
  Client,
  ClientEvents,
  Conversation,
  ConversationEvents,
  ListenOptions,
  Unsubscribe,
} from "@coppice/client";
import { reportUncaught } from "@coppice/kit";
import { type Calls, CALLS, type Methods } from "../calls.ts";

/**
 * The engine's client as a frozen object without private fields and without `this`, which also works behind the proxies of UI
 * frameworks. What a listener throws is reported where the platform reports uncaught exceptions, as it is.
 */
export function localClient(client: Client): Client {
  const facades = new WeakMap<Conversation, Conversation>();
  const facadeOf = (conversation: Conversation): Conversation => {
    const facade = facades.get(conversation) ?? localConversation(conversation);
    facades.set(conversation, facade);
    return facade;
  };
  let seen: readonly Conversation[] | undefined;
  let conversations: readonly Conversation[] = [];
  const list = (): readonly Conversation[] => {
    if (seen !== client.conversations) {
      seen = client.conversations;
      conversations = Object.freeze(seen.map(facadeOf));
    }
    return conversations;
  };
  return Object.freeze({
    ...ownMethods(CALLS.client, client),
    name: client.name,
    device: client.device,
    get online() {
      return client.online;
    },
    get conversations() {
      return list();
    },
    conversation: (id: string) => {
      const found = client.conversation(id);
      return found && facadeOf(found);
    },
    on: <K extends keyof ClientEvents>(event: K, listener: (value: ClientEvents[K]) => unknown): Unsubscribe =>
      client.on(event, reporting(listener)),
    createGroup: async (...options: Parameters<Client["createGroup"]>) =>
      facadeOf(await client.createGroup(...options)),
    close: () => client.close(),
  });
}

function localConversation(conversation: Conversation): Conversation {
  return Object.freeze({
    ...ownMethods(CALLS.conversation, conversation),
    id: conversation.id,
    get snapshot() {
      return conversation.snapshot;
    },
    on: <K extends keyof ConversationEvents>(
      event: K,
      listener: (value: ConversationEvents[K]) => unknown,
      options?: ListenOptions,
    ): Unsubscribe => conversation.on(event, reporting(listener), options),
  });
}

/** The methods of the table, bound to their object. */
function ownMethods<Api extends object>(calls: Calls<Api>, target: Api): Readonly<Methods<Api>> {
  const methods = Object.keys(calls).map((name) => {
    const method: unknown = Reflect.get(target, name);
    if (typeof method !== "function") throw new TypeError(`The engine has no method ${name}`);
    return [name, (...args: readonly unknown[]): unknown => Reflect.apply(method, target, args)];
  });
  return Object.fromEntries(methods) as Readonly<Methods<Api>>;
}

function reporting<T>(listener: (value: T) => unknown): (value: T) => unknown {
  if (typeof listener !== "function") throw new TypeError("A listener is a function");
  return (value) => {
    try {
      const result = listener(value);
      return isPromise(result) ? result.catch(reportUncaught) : undefined;
    } catch (error) {
      reportUncaught(error);
      return undefined;
    }
  };
}

/** Of this or another realm; whatever else is thenable is none of ours. */
const isPromise = (value: unknown): value is Promise<unknown> =>
  value instanceof Promise || Object.prototype.toString.call(value) === "[object Promise]";

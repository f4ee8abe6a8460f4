/** Every call of the Delivery Service: its path, its request and its answer. Client and server share this table. */
export * from "./directory-calls.ts";
export * from "./group-calls.ts";
export * from "./inbox-calls.ts";

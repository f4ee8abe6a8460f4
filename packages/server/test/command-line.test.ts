import { expect, test } from "vitest";
import { commandLineMistake, HELP, parseCommandLine } from "../src/command-line.ts";

function mistake(...args: readonly string[]): string | undefined {
  try {
    parseCommandLine(args);
    return undefined;
  } catch (error) {
    return commandLineMistake(error);
  }
}

test("every flag reaches the server's options", () => {
  const flags = [
    "--port",
    "1",
    "--host",
    "::",
    "--data",
    "x.db",
    "--static",
    "app",
    "--trust-proxy",
    "--new-incarnations",
    "--retention",
    "2",
  ];
  const origins = [
    "--origin",
    "https://a.example",
    "--origin",
    "https://b.example",
    "--allow-origin",
    "https://c.example",
  ];
  expect(parseCommandLine([...flags, ...origins])).toEqual({
    help: false,
    version: false,
    options: {
      port: 1,
      host: "::",
      database: "x.db",
      origins: ["https://a.example", "https://b.example"],
      allowedOrigins: ["https://c.example"],
      trustProxy: true,
      newIncarnations: true,
      staticDirectory: "app",
      limits: { messageRetention: 172_800_000 },
    },
  });
  for (const flag of flags.filter((text) => text.startsWith("--"))) expect(HELP).toContain(`${flag} `);
});

test("a mistake is explained in words", () => {
  expect(mistake("--prot", "1")).toMatch(/--prot[^]*--help/);
  expect(mistake("--port", "x")).toBe('--port is a number from 0 to 65535, not "x"');
  expect(mistake("--port", "65536")).toMatch(/^--port is a number/);
  expect(mistake("--retention", "soon")).toBe('--retention is a number of days greater than 0, not "soon"');
  expect(mistake("--retention", "0")).toMatch(/greater than 0/);
});

test("issue 11 (40): an origin that is none is explained in words", () => {
  const words = '"*" is not an origin: name each origin whose pages may use this server, such as https://chat.example';
  expect(mistake("--allow-origin", "*")).toBe(words);
  expect(mistake("--origin", "chat")).toBe('"chat" is not an origin: write it like https://chat.example');
  expect(mistake("--origin", "https://chat.example/app")).toMatch(/did you mean https:\/\/chat\.example\?$/);
  expect(mistake("--allow-origin", "chrome-extension://abcdef")).toBeUndefined();
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { commandLineMistake, HELP, parseCommandLine } from "../src/command-line.ts";
import { printSettings, ROWS } from "../src/config/settings.ts";
import { DEFAULT_LIMITS } from "../src/limits.ts";
import { temporaryFolder } from "./harness.ts";

function mistake(...args: readonly string[]): string | undefined {
  return mistakeIn({}, ...args);
}

function mistakeIn(environment: Readonly<Record<string, string>>, ...args: readonly string[]): string | undefined {
  try {
    parseCommandLine(args, environment);
    return undefined;
  } catch (error) {
    return commandLineMistake(error);
  }
}

async function fileOf(content: unknown): Promise<string> {
  const path = join(await temporaryFolder(), "coppice.json");
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

const optionsOf = (...args: readonly string[]) => parseCommandLine(args).settings.options;

describe("flags", () => {
  test("every flag reaches the server's options", () => {
    const flags: readonly (readonly [flag: string, value?: string])[] = [
      ["--port", "1"],
      ["--host", "::"],
      ["--data", "x.db"],
      ["--static", "app"],
      ["--trust-proxy"],
      ["--retention", "2"],
      ["--monitor", "127.0.0.1:9090"],
      ["--admin-socket", "/run/coppice"],
      ["--log", "debug"],
      ["--limit", "messageBytes=1000"],
      ["--limit", "requestsPerUser=6,0.5 groupBytes=unlimited"],
      ["--origin", "https://a.example"],
      ["--origin", "https://b.example"],
      ["--allow-origin", "https://c.example"],
    ];
    expect(parseCommandLine([...flags.flat().filter((text) => text !== undefined), "--new-incarnations"])).toEqual({
      task: { do: "serve", newIncarnations: true },
      settings: {
        log: "debug",
        options: {
          port: 1,
          host: "::",
          database: "x.db",
          origins: ["https://a.example", "https://b.example"],
          allowedOrigins: ["https://c.example"],
          trustProxy: true,
          staticDirectory: "app",
          monitor: { host: "127.0.0.1", port: 9090 },
          adminSocket: "/run/coppice",
          limits: {
            messageRetention: 172_800_000,
            messageBytes: 1000,
            requestsPerUser: { burst: 6, perSecond: 0.5 },
            groupBytes: Infinity,
          },
        },
      },
    });
    expect(new Set(flags.map(([flag]) => flag))).toEqual(new Set(Object.keys(ROWS).map((name) => `--${name}`)));
    for (const [flag] of flags) expect(HELP).toContain(`  ${flag} `);
  });

  test("commands", () => {
    const task = (...args: readonly string[]) => parseCommandLine(args).task;
    expect(task()).toEqual({ do: "serve", newIncarnations: false });
    expect(task("serve")).toEqual(task());
    expect(task("--check")).toEqual({ do: "check" });
    expect(task("--print-config")).toEqual({ do: "print-config" });
    expect(task("backup", "--to", "b")).toEqual({ do: "backup", to: "b" });
    expect(task("restore", "--from", "b")).toEqual({ do: "restore", from: "b" });
    expect(task("repair")).toEqual({ do: "repair" });
    expect(task("admin", "quota", "bob", "1")).toEqual({ do: "admin", command: "quota", words: ["bob", "1"] });
    expect(task("admin")).toEqual({ do: "admin", command: "help", words: [] });
    expect(task("backup", "--help")).toEqual({ do: "help" });
    expect(mistake("backup")).toMatch(/^--to FILE is missing/);
    expect(mistake("start")).toMatch(/^"start" is no command/);
    expect(mistake("serve", "now")).toMatch(/^"now" is one word too many/);
  });

  test("a mistake is explained in words", () => {
    expect(mistake("--prot", "1")).toMatch(/--prot[^]*--help/);
    expect(mistake("--port", "x")).toBe('--port is a number from 0 to 65535, not "x"');
    expect(mistake("--port", "65536")).toMatch(/^--port is a number/);
    expect(mistake("--retention", "soon")).toBe('--retention is a number of days greater than 0, not "soon"');
    expect(mistake("--retention", "0")).toMatch(/greater than 0/);
    expect(mistake("--log", "loud")).toBe("--log is one of silent, error, info, debug");
    expect(mistake("--monitor", "9090")).toMatch(/^--monitor is an address and a port/);
    expect(mistake("--limit", "messageBytes")).toMatch(/^--limit is written like messageBytes=1048576/);
    expect(mistake("--limit", "messagebytes=1")).toMatch(/^--limit has no limit "messagebytes"/);
    expect(mistake("--limit", "messageBytes=much")).toBe("--limit: messageBytes is a number");
    expect(mistake("--limit", "requestsPerUser=9")).toBe("--limit: requestsPerUser is a burst and a number per second");
    expect(mistake("--limit", "messageBytes=99000000")).toBe("The limit messageBytes is out of range: 99000000");
    expect(mistake("--limit", "constructor=1")).toMatch(/has no limit/);
  });

  test("issue 11 (40): an origin that is none is explained in words", () => {
    const words =
      '"*" is not an origin: name each origin whose pages may use this server, such as https://chat.example';
    expect(mistake("--allow-origin", "*")).toBe(words);
    expect(mistake("--origin", "chat")).toBe('"chat" is not an origin: write it like https://chat.example');
    expect(mistake("--origin", "https://chat.example/app")).toMatch(/did you mean https:\/\/chat\.example\?$/);
    expect(mistake("--allow-origin", "chrome-extension://abcdef")).toBeUndefined();
  });
});

describe("the environment and the file", () => {
  test("a flag goes before a variable, that before the file, setting by setting", async () => {
    const COPPICE_CONFIG = await fileOf({ port: 1, host: "::", "trust-proxy": true, data: "file.db" });
    const environment = { COPPICE_CONFIG, COPPICE_PORT: "2", COPPICE_DATA: "variable.db", COPPICE_CHROMIUM: "x" };
    const { options } = parseCommandLine(["--port", "3"], environment).settings;
    expect(options).toMatchObject({ port: 3, database: "variable.db", host: "::", trustProxy: true });
    const other = await fileOf({ port: 9 });
    expect(parseCommandLine(["--config", other], { COPPICE_CONFIG }).settings.options).toMatchObject({
      port: 9,
      host: "127.0.0.1",
    });
  });

  test("lists, switches and limits as variables and in the file", async () => {
    const environment = {
      COPPICE_ORIGIN: "https://a.example, https://b.example",
      COPPICE_TRUST_PROXY: "1",
      COPPICE_LIMIT: "messageBytes=5 requestsPerUser=1,2",
    };
    const expected = {
      origins: ["https://a.example", "https://b.example"],
      trustProxy: true,
      limits: { messageBytes: 5, requestsPerUser: { burst: 1, perSecond: 2 } },
    };
    expect(parseCommandLine([], environment).settings.options).toMatchObject(expected);
    const file = await fileOf({
      origin: expected.origins,
      "trust-proxy": true,
      limit: { messageBytes: 5, requestsPerUser: { burst: 1, perSecond: 2 } },
    });
    expect(optionsOf("--config", file)).toMatchObject(expected);
  });

  test("a mistake says where it is", async () => {
    expect(mistakeIn({ COPPICE_PORT: "x" })).toBe('COPPICE_PORT is a number from 0 to 65535, not "x"');
    expect(mistakeIn({ COPPICE_TRUST_PROXY: "yes" })).toBe("COPPICE_TRUST_PROXY is true or false");
    const withTypo = await fileOf({ prot: 1 });
    expect(mistake("--config", withTypo)).toBe(`"prot" in ${withTypo} is no setting`);
    const withText = await fileOf({ limit: { messageBytes: "5" } });
    expect(mistake("--config", withText)).toBe(`"limit" in ${withText}: messageBytes is a number`);
    expect(mistake("--config", await fileOf("{"))).toMatch(/JSON/);
    expect(mistake("--config", await fileOf("[]"))).toMatch(/holds a JSON object$/);
    expect(mistake("--config", "/nowhere.json")).toMatch(/ENOENT/);
  });

  test("what is printed is a file that says the same", async () => {
    for (const args of [[], ["--data", ":memory:", "--static", "app", "--monitor", "::1:9", "--retention", "3"]]) {
      const { settings } = parseCommandLine(args);
      const printed = printSettings(settings);
      const { settings: again } = parseCommandLine(["--config", await fileOf(printed)]);
      expect(printSettings(again)).toBe(printed);
      expect(again.options.limits).toEqual({ ...DEFAULT_LIMITS, ...settings.options.limits });
    }
  });
});

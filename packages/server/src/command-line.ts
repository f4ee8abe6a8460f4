/** What a command line of `coppice-server` asks for. */
import { parseArgs, type ParseArgsConfig } from "node:util";
import { Mistake } from "./config/mistake.ts";
import { readSettings, ROWS, type Settings } from "./config/settings.ts";
import { CONFIG_VARIABLE, fromEnvironment, fromFile, fromFlags, type Environment } from "./config/sources.ts";

/** What to do. */
export type Task =
  | { readonly do: "help" | "version" }
  | { readonly do: "serve"; readonly newIncarnations: boolean }
  | { readonly do: "check" | "print-config" }
  | { readonly do: "backup"; readonly to: string }
  | { readonly do: "restore"; readonly from: string }
  | { readonly do: "repair" }
  | { readonly do: "admin"; readonly command: string; readonly words: readonly string[] };

export interface CommandLine {
  readonly task: Task;
  readonly settings: Settings;
}

const USAGE = `Usage: coppice-server [options]
       coppice-server backup --to FILE [options]      copy the database, also of a running server
       coppice-server restore --from FILE [options]   put a backup in the database's place
       coppice-server repair [options]                make indexes and counts anew; the server has stopped
       coppice-server admin COMMAND [...] [options]   status, users, groups, ban, …: admin help lists them
`;

const OTHER_FLAGS: readonly (readonly [flag: string, help: string])[] = [
  [
    "--config FILE",
    `a JSON object with these names; also ${CONFIG_VARIABLE}. Flags go before COPPICE_* before the file`,
  ],
  [
    "--new-incarnations",
    "the database is a copy that no `backup` made: let clients notice and resynchronise. For one start",
  ],
  ["--check", "check the configuration and the database, also of a running server; status 1 if something is wrong"],
  ["--print-config", "print what would be used, as a configuration file"],
  ["--version", "print the version"],
  ["--help", "print this"],
];

const WIDTH = 24;

const flagLine = (flag: string, help: string): string => `  ${flag.padEnd(WIDTH)}${help}`;

export const HELP: string = [
  USAGE,
  ...Object.entries(ROWS).map(([name, { argument, help }]) => flagLine(`--${name} ${argument}`.trimEnd(), help)),
  ...OTHER_FLAGS.map(([flag, help]) => flagLine(flag, help)),
].join("\n");

/** The words to print for an operator's mistake; `undefined` for any other error. */
export const commandLineMistake = (error: unknown): string | undefined =>
  error instanceof Mistake ? error.message : undefined;

/** Reads the arguments of the command. Throws what `commandLineMistake` knows. */
export function parseCommandLine(args: readonly string[], environment: Environment = {}): CommandLine {
  const { values, positionals } = parseFlags(args);
  const path = text(values["config"]) ?? environment[CONFIG_VARIABLE];
  const settings = readSettings({
    ...(path === undefined || path === "" ? {} : fromFile(path)),
    ...fromEnvironment(environment),
    ...fromFlags(values),
  });
  return { task: readTask(values, positionals), settings };
}

type Values = Readonly<Record<string, unknown>>;

function readTask(values: Values, [command = "serve", ...words]: readonly string[]): Task {
  if (values["help"] === true) return { do: "help" };
  if (values["version"] === true) return { do: "version" };
  if (command === "admin") return { do: "admin", command: words[0] ?? "help", words: words.slice(1) };
  if (words.length > 0) throw new Mistake(`"${words[0] ?? ""}" is one word too many${HINT}`);
  switch (command) {
    case "serve":
      if (values["print-config"] === true) return { do: "print-config" };
      if (values["check"] === true) return { do: "check" };
      return { do: "serve", newIncarnations: values["new-incarnations"] === true };
    case "backup":
      return { do: "backup", to: required(values, "to") };
    case "restore":
      return { do: "restore", from: required(values, "from") };
    case "repair":
      return { do: "repair" };
    default:
      throw new Mistake(`"${command}" is no command${HINT}`);
  }
}

const HINT = "\n\nSee coppice-server --help";

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function required(values: Values, name: string): string {
  const value = text(values[name]);
  if (value === undefined || value === "") throw new Mistake(`--${name} FILE is missing${HINT}`);
  return value;
}

function parseFlags(args: readonly string[]): { readonly values: Values; readonly positionals: readonly string[] } {
  const options: NonNullable<ParseArgsConfig["options"]> = {
    config: { type: "string" },
    to: { type: "string" },
    from: { type: "string" },
    "new-incarnations": { type: "boolean" },
    check: { type: "boolean" },
    "print-config": { type: "boolean" },
    version: { type: "boolean" },
    help: { type: "boolean" },
  };
  for (const [name, { kind }] of Object.entries(ROWS)) {
    options[name] =
      kind === "switch" ? { type: "boolean" } : { type: "string", multiple: kind === "list" || kind === "limits" };
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new Mistake(`${error instanceof Error ? error.message : String(error)}${HINT}`, { cause: error });
  }
}

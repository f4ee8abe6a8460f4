/** Where settings come from: flags before the environment, that before the file. */
import { readFileSync } from "node:fs";
import { asMistake, Mistake } from "./mistake.ts";
import { ROWS, type SettingName, type Written, type WrittenSettings } from "./settings.ts";

/** Variables of the environment. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the file. */
export const CONFIG_VARIABLE = "COPPICE_CONFIG";

const NAMES = Object.keys(ROWS) as readonly SettingName[];

/** `COPPICE_TRUST_PROXY` for `trust-proxy`. */
export const variableOf = (name: SettingName): string => `COPPICE_${name.replaceAll("-", "_").toUpperCase()}`;

export function fromFlags(values: Readonly<Record<string, unknown>>): WrittenSettings {
  return collect((name) => ({ value: values[name], from: `--${name}` }));
}

export function fromEnvironment(environment: Environment): WrittenSettings {
  return collect((name) => ({ value: environment[variableOf(name)], from: variableOf(name) }));
}

/** A JSON object with the names of flags. `Mistake` for a name that is none. */
export function fromFile(path: string): WrittenSettings {
  const content: unknown = asMistake(() => JSON.parse(readFileSync(path, "utf8")) as unknown, `${path}: `);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new Mistake(`${path} holds a JSON object`);
  }
  const values = new Map(Object.entries(content));
  for (const name of values.keys()) {
    if (!NAMES.some((known) => known === name)) throw new Mistake(`"${name}" in ${path} is no setting`);
  }
  return collect((name) => ({ value: values.get(name), from: `"${name}" in ${path}` }));
}

function collect(find: (name: SettingName) => Written): WrittenSettings {
  const settings: Partial<Record<SettingName, Written>> = {};
  for (const name of NAMES) {
    const written = find(name);
    if (written.value !== undefined) settings[name] = written;
  }
  return settings;
}

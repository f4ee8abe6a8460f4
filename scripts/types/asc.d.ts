/**
 * What `wasm/build.mjs` uses of AssemblyScript's compiler. Its own declarations are global and clash with Node's, so the
 * TypeScript configurations for tests and lint put this file in their place.
 */

interface MemoryStream {
  toString(): string;
}

interface Host {
  readonly stderr: MemoryStream;
  readonly readFile: (name: string, baseDir: string) => string | null;
  readonly writeFile: (name: string, contents: Uint8Array | string, baseDir: string) => void;
}

declare const asc: {
  createMemoryStream(): MemoryStream;
  main(argv: readonly string[], host: Host): Promise<{ readonly error: Error | null }>;
};

// eslint-disable-next-line no-restricted-syntax -- the module that is described has a default export
export default asc;

/** The bindings without the loader of the package, which needs a bundler that imports WebAssembly. */
declare module "openmls-wasm/openmls_wasm_bg.js" {
  export * from "openmls-wasm";
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

/** The bindings without the loader of the package, which needs a bundler that imports WebAssembly. */
declare module "openmls-wasm/openmls_wasm_bg.js" {
  export * from "openmls-wasm";
  export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
}

/** The types of core-crypto refer to a package that it does not depend on; its code has that package built in. */
declare module "@ubjs/core" {
  export type UniffiGcObject = object;
  export type UniffiHandle = bigint;
  export const destructorGuardSymbol: unique symbol;
  export const pointerLiteralSymbol: unique symbol;
  export const uniffiTypeNameSymbol: unique symbol;
  export const variantOrdinalSymbol: unique symbol;
  export abstract class UniffiAbstractObject {
    abstract uniffiDestroy(): void;
  }
}

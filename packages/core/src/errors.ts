/** The one error class of Coppice and the codes that `@coppice/core` throws: those of the ground floor. */
export * from "@coppice/kit/errors";

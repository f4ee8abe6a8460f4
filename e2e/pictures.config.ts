/** Takes the pictures of the documentation from the running chat: `npm run pictures`. */
import base from "./playwright.config.ts";

export default { ...base, testDir: "./pictures" };

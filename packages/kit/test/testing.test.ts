import { VirtualTime } from "@coppice/kit/testing";
import { expect, test } from "vitest";

test("time does not go on while the platform's cryptography is at work", async () => {
  const time = new VirtualTime();
  const { subtle } = globalThis.crypto;
  const salt = new Uint8Array(16);
  let done = 0;
  const slowly = async (): Promise<void> => {
    const key = await subtle.importKey("raw", salt, "PBKDF2", false, ["deriveBits"]);
    for (; done < 3; done++) {
      await subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations: 50_000 }, key, 256);
    }
  };
  void slowly();
  time.after(1, () => undefined);
  await time.until(() => done === 3, 10);
  expect(time.elapsed()).toBe(0);
});

/** What the fake shows: `busy` (default), `empty`, `offline`, `unreachable`, `long`. */
import { FakeClient, FakeError } from "./fake-client.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

export async function openFake(name: string, scene: string): Promise<FakeClient> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  if (scene === "unreachable") throw new FakeError("ERR_DS_UNREACHABLE");
  if (name === "taken") throw new FakeError("ERR_DS_NAME_TAKEN");
  const client = new FakeClient(name, { online: scene !== "offline", delay: 700, clock: () => Date.now() });
  if (scene === "empty") return client;
  if (scene === "long") fillLong(client);
  else fillBusy(client);
  addEventListener("offline", () => {
    client.setOnline(false);
  });
  addEventListener("online", () => {
    client.setOnline(true);
  });
  return client;
}

function fillBusy(client: FakeClient): void {
  const now = client.world.clock();
  const walk = client.appear("Sunday walk", ["bob", "carol"]);
  walk.changed(client.name, { added: ["bob", "carol"], at: now - day - 50 * minute });
  walk.receive("bob", "Shall we take the path along the river?", now - day - 40 * minute);
  walk.receive("bob", "It is dry again, and the old mill has opened its café.", now - day - 39 * minute);
  walk.wrote("Yes! I can bring tea and the big blanket.", now - day - 35 * minute);
  walk.receive("carol", "I am in. When do we start?", now - day - 12 * minute);
  walk.changed("bob", { added: ["dave"], at: now - 95 * minute });
  walk.receive("dave", "Hi all, thanks for having me 👋", now - 92 * minute);
  walk.undecryptable("ERR_MLS_AEAD", now - 60 * minute);
  walk.wrote("Ten o’clock at the bridge?", now - 20 * minute);
  walk.wrote("I will be there a bit earlier to get bread.", now - 19 * minute);
  walk.receive("carol", "Ten is perfect.", now - 9 * minute);
  walk.receive(
    "dave",
    "See you there! Here is the map: https://example.org/a/very/long/path/that/does/not/end/soon/and/has/no/spaces/at/all/in/it",
    now - 6 * minute,
  );
  walk.wrote("fail: and bring your cups, please", now - 2 * minute, "failed", "ERR_DS_RATE_LIMITED");
  walk.wrote("Looking forward to it!", now - minute, "sending");

  const reading = client.appear("Reading circle", ["erin", "frank"], "erin");
  reading.changed("erin", { joined: true, at: now - 30 * minute });
  reading.receive("erin", "Welcome! We are reading “The Overstory” until December.", now - 28 * minute);
  reading.receive("frank", "Chapter three by Thursday, no spoilers.", now - 14 * minute);

  const odd = client.appear("", ["\u202Eevil", "a-name-that-goes-on-and-on-and-on-without-a-single-space-in-it"]);
  odd.receive("\u202Eevil", "<img src=x onerror=alert(1)> stays text", now - 3 * day);

  const removed = client.appear("Old flat", ["grace"]);
  removed.receive("grace", "Keys are with the neighbour.", now - 6 * day);
  removed.changed("grace", { removed: [client.name], at: now - 5 * day });

  const broken = client.appear("Band practice", ["heidi", "ivan"]);
  broken.receive("heidi", "Same time next week?", now - 9 * day);
  broken.patch({ status: "broken", problem: "ERR_MLS_CONFIRMATION" });

  const back = client.appear("Allotment", ["judy"]);
  back.receive("judy", "The beans are up.", now - 11 * day);
  void back.rejoin();
}

function fillLong(client: FakeClient): void {
  const now = client.world.clock();
  const archive = client.appear("Archive", ["bob"]);
  for (let index = 0; index < 1500; index++) {
    const at = now - (1500 - index) * 7 * minute;
    if (index % 3 === 0) archive.wrote(`Line ${index}`, at);
    else archive.receive("bob", `Line ${index}. ${"Some words. ".repeat(index % 7)}`, at);
  }
}

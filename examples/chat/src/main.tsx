import { Coppice } from "coppice";
import { render } from "preact";
import { theme } from "./preferences.ts";
import { App } from "./ui/app.tsx";

theme.apply();
const root = document.getElementById("app");
if (root === null) throw new Error("The page has no place for the application");
render(<App open={(name) => Coppice.open({ name, server: location.origin })} />, root);

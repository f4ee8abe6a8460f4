import { useEffect, useState } from "preact/hooks";
import type { Observable } from "../model/observable.ts";

/** Changes within this time are drawn together, milliseconds: a backlog is a thousand changes. */
const drawInterval = 16;

/** Draws the component again when `model` has changed. */
export function useChanges(model: Observable): void {
  const [, setVersion] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const release = model.subscribe(() => {
      // Not requestAnimationFrame: it stops in a hidden tab, whose title still counts what is unread.
      timer ??= setTimeout(() => {
        timer = undefined;
        setVersion((version) => version + 1);
      }, drawInterval);
    });
    // Whatever changed between drawing and subscribing.
    setVersion((version) => version + 1);
    return () => {
      clearTimeout(timer);
      release();
    };
  }, [model]);
}

/** Gives the focus to an element when it appears. */
export function useFocusOnMount(ref: { readonly current: HTMLElement | null }): void {
  useEffect(() => {
    ref.current?.focus();
  }, [ref]);
}

/** Whether all panes have their place side by side and typing does not bring up a screen keyboard. */
export function isDesk(): boolean {
  return matchMedia("(min-width: 48rem) and (pointer: fine)").matches;
}

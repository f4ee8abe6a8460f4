/** What a page and its worker say to each other about standing still. */

/** What a page tells its worker, by the name that the page gave it. */
export interface Order {
  readonly worker: string;
  /** Stand still at the so-many-th moment from now on, counted from 0; never, if there are not so many. */
  readonly at: number;
  readonly milliseconds: number;
}

/** What a worker tells its page. */
export interface Report {
  readonly worker: string;
  /** What the worker was about to do, or had just done. */
  readonly moment: string;
  readonly standsStill: boolean;
}

export const ORDERS = "coppice-attack-orders";
export const REPORTS = "coppice-attack-reports";

/** The SDK's worker, counted. */
import "./counters.ts";
import "coppice/worker";

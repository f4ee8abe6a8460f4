/** The worker of the page under attack: the SDK's own, on a platform that can stand still. */
import "./standstill.ts";
import "coppice/worker";
